import type { Duplex } from 'node:stream'
import { type Clock, compileCheck, type Static, Type } from '@drover/kernel'
import type { WebSocket } from 'ws'
import type { FenceShape, Fences } from '../state/fences.ts'
import type { HerdState } from '../state/herd-state.ts'
import { clientsWithin, hitsMax } from '../state/search.ts'
import { renderBriefHits } from './brief-hits.ts'
import { describeClient, describeHits } from './describe-client.ts'
import { MapFeed } from './map-feed.ts'
import { boxSchema, checkBox, circleSchema, toShape } from './shapes.ts'

const id = Type.String({ minLength: 1, maxLength: 128 })

/** What a subscriber may say. */
const request = Type.Union([
  Type.Object({ watch: id, circle: circleSchema }),
  Type.Object({ watch: id, box: boxSchema }),
  Type.Object({ watch: id, all: Type.Literal(true) }),
  Type.Object({
    find: id,
    circle: circleSchema,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: hitsMax })),
    brief: Type.Optional(Type.Boolean()),
  }),
  Type.Object({ forget: id }),
])

type Request = Static<typeof request>

/** What all subscribers of a server share. */
export interface LiveOptions {
  readonly state: HerdState
  readonly fences: Fences
  readonly clock: Clock
  /** Fences at most, of all subscribers together. */
  readonly fencesMax: number
}

/** A subscriber that is this many bytes behind is cut off: it must not cost the others memory. */
const behindBytesMax = 4 * 1_048_576
/** With so many it is told nothing new of the whole map until it has read on. */
const behindBytes = 262_144
/** What a subscriber's fences have to tell in one turn leaves in pieces of this size. */
const gatheredBytes = 65_536
/** Watches of one subscriber. */
const watchesMax = 1_000

/**
 * One WebSocket that watches fences or the whole map.
 *
 *   ▶ {"watch":"home","circle":{"latitude":34.07,"longitude":-118.45,"radiusKm":2}}
 *   ◀ {"fence":"home","event":"enter","client":"kiwi",…}     enter, leave or move
 *   ▶ {"watch":"map","all":true}
 *   ◀ {"map":"map","clients":[…],"gone":["kiwi"]}            what has moved since the last one;
 *                                     with "isFresh":true everybody anew: the first, and after a jam
 *   ▶ {"forget":"home"}
 *   ▶ {"find":"q1","circle":{…},"limit":100,"brief":true}     asks once; nearest first
 *   ◀ {"find":"q1","clients":[{"client":"kiwi","distanceKm":1.234}]}
 */
export class LiveSocket {
  readonly #socket: WebSocket
  /** What the WebSocket writes to. */
  readonly #wire: Duplex
  readonly #options: LiveOptions
  readonly #watches = new Map<string, () => void>()
  readonly #maps = new Set<MapFeed>()
  #isGathering = false
  #told = { slot: -1, origin: -1, sequence: -1, rest: '' }

  constructor(socket: WebSocket, wire: Duplex, options: LiveOptions) {
    this.#socket = socket
    this.#wire = wire
    this.#options = options
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.#refuse('a message must be text')
      else this.#take(String(data))
    })
    socket.on('close', () => this.#forgetAll())
    socket.on('error', () => socket.terminate())
  }

  /** A client moved; told to those who watch the whole map. */
  moved(slot: number): void {
    for (const map of this.#maps) map.moved(slot)
  }

  /** A client's lifetime is over. */
  expired(slot: number): void {
    for (const map of this.#maps) map.expired(slot)
  }

  #take(text: string): void {
    const message = parse(text)
    if (!message) this.#refuse('expected {"watch", "circle" | "box" | "all"} or {"forget"}')
    else if ('forget' in message) this.#forget(message.forget)
    else if ('find' in message) this.#find(message)
    else this.#watch(message)
  }

  #find({ find, circle, limit = 100, brief = false }: Extract<Request, { find: string }>): void {
    const { state, clock } = this.#options
    const hits = clientsWithin(state, circle, circle.radiusKm, limit, clock.now())
    if (!brief) this.#send({ find, clients: describeHits(state, hits) })
    else this.#sendText(renderBriefHits(state, `"find":${JSON.stringify(find)},`, hits))
  }

  #watch(message: Extract<Request, { watch: string }>): void {
    const { fences, fencesMax } = this.#options
    this.#forget(message.watch)
    if (fences.count >= fencesMax || this.#watches.size >= watchesMax) {
      this.#refuse(`there are ${Math.min(fences.count, fencesMax)} fences already`)
      return
    }
    if ('all' in message) this.#watches.set(message.watch, this.#watchMap(message.watch))
    else this.#watches.set(message.watch, this.#watchFence(message.watch, toShape(message)))
    this.#send({ watching: message.watch })
  }

  #watchFence(fence: string, shape: FenceShape): () => void {
    const { fences } = this.#options
    const name = JSON.stringify(fence)
    return fences.add(shape, (event, slot) => {
      this.#gather()
      this.#sendText(`{"fence":${name},"event":"${event}",${this.#restOf(slot)}`)
    })
  }

  /** What a message says of a client, its brace at the end; made once for all fences of one update. */
  #restOf(slot: number): string {
    const { state } = this.#options
    const origin = state.originAt(slot)
    const sequence = state.sequenceAt(slot)
    const told = this.#told
    if (told.slot === slot && told.origin === origin && told.sequence === sequence) return told.rest
    const rest = JSON.stringify(describeClient(state, slot)).slice(1)
    this.#told = { slot, origin, sequence, rest }
    return rest
  }

  /** One client may cross a thousand fences of one subscriber: all that leaves in few writes. */
  #gather(): void {
    if (this.#isGathering && this.#wire.writableLength > gatheredBytes) this.#release()
    if (this.#isGathering) return
    this.#isGathering = true
    this.#wire.cork()
    setImmediate(() => this.#release())
  }

  #release(): void {
    if (!this.#isGathering) return
    this.#isGathering = false
    this.#wire.uncork()
  }

  #watchMap(map: string): () => void {
    const { state, clock } = this.#options
    const feed = new MapFeed(
      state,
      clock,
      (news) => this.#send({ map, ...news }),
      () => this.#socket.bufferedAmount > behindBytes,
    )
    this.#maps.add(feed)
    return () => {
      this.#maps.delete(feed)
      feed.stop()
    }
  }

  #forget(name: string): void {
    this.#watches.get(name)?.()
    this.#watches.delete(name)
  }

  #forgetAll(): void {
    for (const name of [...this.#watches.keys()]) this.#forget(name)
  }

  #refuse(reason: string): void {
    this.#send({ error: reason })
  }

  #send(message: unknown): void {
    this.#sendText(JSON.stringify(message))
  }

  #sendText(text: string | Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#socket.bufferedAmount > behindBytesMax) this.#socket.terminate()
    else this.#socket.send(text, { binary: false })
  }
}

const fits = compileCheck(request)

function parse(text: string): Request | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (fits(value) !== undefined) return undefined
    const message = value as Request
    if ('box' in message) checkBox(message.box)
    return message
  } catch {
    return undefined // Not JSON, or a box of nothing: the caller says what was expected.
  }
}
