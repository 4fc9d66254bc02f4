import type { ServerResponse } from 'node:http'
import type { Cancel, Clock } from '@drover/kernel'
import type { HerdNode } from '../flood/node.ts'
import { describeLinks } from './link-routes.ts'
import { MapFeed } from './map-feed.ts'
import type { StandingFences } from './standing-fences.ts'

/** What a stream tells of. */
export interface EventStreamOptions {
  readonly node: HerdNode
  readonly fences: StandingFences
  readonly clock: Clock
  /** Whether it tells of everybody on the map, and of the standing fences. */
  readonly map: boolean
  readonly crossings: boolean
}

/** Links are told this often at least; changes in one go, a moment after the first. */
const linksMs = 2_000
const gatherMs = 50
/** With so much unread it is told nothing new of the map; with so much more it is cut off. */
const behindBytes = 262_144
const behindBytesMax = 4 * 1_048_576

/** One reader of `GET /v1/events`: Server-Sent Events of clients, fences and links. */
export class EventStream {
  readonly #response: ServerResponse
  readonly #options: EventStreamOptions
  readonly #map: MapFeed | undefined
  readonly #stops: (() => void)[]
  #cancelLinks: Cancel | undefined

  constructor(response: ServerResponse, options: EventStreamOptions) {
    const { node, fences, clock, map, crossings } = options
    this.#response = response
    this.#options = options
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    this.#map = map
      ? new MapFeed(
          node.state,
          clock,
          (news) => this.#send('clients', news),
          () => response.writableLength > behindBytes,
        )
      : undefined
    this.#stops = [
      ...(this.#map ? [this.#map.stop] : []),
      ...(crossings ? [fences.subscribe((news) => this.#send('crossing', news))] : []),
      clock.every(linksMs, () => this.#tellLinks()),
    ]
    this.#tellLinks()
  }

  moved(slot: number): void {
    this.#map?.moved(slot)
  }

  expired(slot: number): void {
    this.#map?.expired(slot)
  }

  /** A link came up or went down. */
  linksChanged(): void {
    this.#cancelLinks ??= this.#options.clock.after(gatherMs, () => this.#tellLinks())
  }

  /** Ends the stream; the connection is closed. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
    this.#cancelLinks?.()
    this.#response.destroy()
  }

  #tellLinks(): void {
    this.#cancelLinks?.()
    this.#cancelLinks = undefined
    const { node } = this.#options
    this.#send('links', { server: node.identity.name, links: describeLinks(node) })
  }

  #send(event: string, data: unknown): void {
    if (this.#response.destroyed) return
    if (this.#response.writableLength > behindBytesMax) this.stop()
    else this.#response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
}
