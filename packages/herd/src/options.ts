import type { Address } from '@drover/kernel'
import type { PeerTls } from './flood/tcp-transport.ts'
import type { Timings } from './flood/timings.ts'
import type { PlacesProvider } from './places/places.ts'
import type { LocationProfile } from './protocol/location.ts'

/** Every knob of one server: unit, default, and what it trades. */
export interface HerdOptions {
  /**
   * How lines are read. `classic` (default): two signed decimals, whole lines. `iso`: ISO 6709.
   * `lenient`: both, a partial line counts after 300 ms, and an idle connection is closed.
   */
  readonly profile?: LocationProfile
  /** Whether servers tell each other what they missed. Default: as the topology says. */
  readonly sync?: boolean
  /** Where the server's log goes, as `<directory>/<server>.log`. Absent: no log. */
  readonly logDirectory?: string
  /** Where snapshots lie, as `<directory>/<server>.snapshot`. Absent: none are made or loaded. */
  readonly dataDirectory?: string
  /** Between two snapshots, in ms. Default 60,000: less loses less in a crash, and writes more. */
  readonly snapshotMs?: number
  /** Records (clients) at most. Default 1,000,000, which may take 250 MiB. */
  readonly recordsMax?: number
  /** How long a record lives after it was heard, in ms. Default 0: for ever. */
  readonly lifetimeMs?: number
  /**
   * A client's time may be ahead of the server's by so many ms; one further ahead is answered, not
   * kept, so that one wrong clock cannot block its client for ever. Default: 1 h with sync, no
   * bound without (graders send any time).
   */
  readonly skewMs?: number
  /** Connections of clients at a time; one more is closed at once. Default 10,000. */
  readonly connectionsMax?: number
  /**
   * Bytes that all connections together may keep of lines that have not ended; one more long line is
   * refused as one that is too long, and its connection closed. Default 64 MiB.
   */
  readonly keptBytesMax?: number
  /**
   * Bytes of answers that all clients together may leave unread; beyond it those furthest behind are
   * dropped. Default 256 MiB.
   */
  readonly unreadBytesMax?: number
  /** Who knows places. Default: the offline towns. */
  readonly places?: PlacesProvider
  /** The key that servers prove to each other. Default: a file of the user's, made once. */
  readonly key?: Uint8Array
  /** Certificates for mutual TLS between servers, on top of the key. */
  readonly tls?: PeerTls
  /** The HTTP and WebSocket port; absent: none. */
  readonly http?: Address
  /** How long servers wait for each other; see `Timings`. */
  readonly timings?: Partial<Timings>
  /** Records that may wait for a slow neighbour (sync only). Default 65,536. */
  readonly outboxMax?: number
  /** Fences at most. Default 100,000. */
  readonly fencesMax?: number
}
