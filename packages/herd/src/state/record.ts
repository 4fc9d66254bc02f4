import type { Instant } from '../protocol/decimal.ts'
import type { Position } from '../protocol/location.ts'
import type { Origin } from './origins.ts'

/** The kind of records that the line protocol writes: where a client is. */
export const locationKind = 0

/**
 * A record on its way into the state. The text is what an AT line says after the server's id:
 *
 *     +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503
 *     difference   key              value                 time
 *
 * One object may be used again and again; the state copies what it keeps. The position means
 * something for locations only.
 */
export interface HerdRecord extends Instant, Position {
  kind: number
  /** The life of the server that heard it. */
  origin: Origin
  /** Its number among what that life heard. */
  sequence: number
  /** Wall time of that server when it heard it, in ms: lifetimes count from here. */
  heardMs: number
  /** How many links it has passed. */
  hops: number
  text: Uint8Array
  textStart: number
  differenceBytes: number
  keyBytes: number
  valueBytes: number
  timeBytes: number
}

/** Returns how long the whole text is, with its three blanks. */
export function textBytesOf(record: HerdRecord): number {
  return record.differenceBytes + record.keyBytes + record.valueBytes + record.timeBytes + 3
}

/** Stands where a record's origin is not known yet. */
const nobody: Origin = {
  index: 65_535,
  name: '-',
  epoch: 0,
  nameBytes: Buffer.from('-'),
  sequence: 0,
  records: 0,
}

/** Returns an empty record to be filled. */
export function createRecord(origin: Origin = nobody): HerdRecord {
  return {
    kind: locationKind,
    origin,
    sequence: 0,
    heardMs: 0,
    hops: 0,
    text: new Uint8Array(0),
    textStart: 0,
    differenceBytes: 0,
    keyBytes: 0,
    valueBytes: 0,
    timeBytes: 0,
    seconds: 0,
    nanos: 0,
    latitude: 0,
    longitude: 0,
  }
}
