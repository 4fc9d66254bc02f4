import type { Clock } from '@drover/kernel'
import Type, { type Static } from 'typebox'
import { Value } from 'typebox/value'
import type { WebSocket } from 'ws'
import type { FenceShape, Fences } from '../state/fences.ts'
import type { HerdState } from '../state/herd-state.ts'
import { describeClient } from './describe-client.ts'

const latitude = Type.Number({ minimum: -90, maximum: 90 })
const longitude = Type.Number({ minimum: -180, maximum: 180 })
const id = Type.String({ minLength: 1, maxLength: 128 })

/** What a subscriber may say. */
const request = Type.Union([
  Type.Object({
    watch: id,
    circle: Type.Object({
      latitude,
      longitude,
      radiusKm: Type.Number({ minimum: 0, maximum: 20_016 }),
    }),
  }),
  Type.Object({
    watch: id,
    box: Type.Object({ south: latitude, north: latitude, west: longitude, east: longitude }),
  }),
  Type.Object({ watch: id, all: Type.Literal(true) }),
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
/** The whole map is told this often, each client once; so many clients at a time. */
const mapMs = 250
const mapClientsMax = 5_000

/**
 * One WebSocket that watches fences or the whole map.
 *
 *   ▶ {"watch":"home","circle":{"latitude":34.07,"longitude":-118.45,"radiusKm":2}}
 *   ◀ {"fence":"home","event":"enter","client":"kiwi",…}     enter, leave or move
 *   ▶ {"watch":"map","all":true}
 *   ◀ {"map":"map","clients":[…],"gone":["kiwi"]}            what has moved since the last one
 *   ▶ {"forget":"home"}
 */
export class LiveSocket {
  readonly #socket: WebSocket
  readonly #options: LiveOptions
  readonly #watches = new Map<string, () => void>()
  readonly #moved = new Set<number>()
  readonly #gone = new Set<string>()
  #maps = 0

  constructor(socket: WebSocket, options: LiveOptions) {
    this.#socket = socket
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
    if (this.#maps > 0 && this.#moved.size < mapClientsMax) this.#moved.add(slot)
  }

  /** A client's lifetime is over. */
  expired(slot: number): void {
    if (this.#maps === 0) return
    this.#moved.delete(slot)
    this.#gone.add(describeClient(this.#options.state, slot).client)
  }

  #take(text: string): void {
    const message = parse(text)
    if (!message) this.#refuse('expected {"watch", "circle" | "box" | "all"} or {"forget"}')
    else if ('forget' in message) this.#forget(message.forget)
    else this.#watch(message)
  }

  #watch(message: Exclude<Request, { forget: string }>): void {
    const { fences, fencesMax } = this.#options
    this.#forget(message.watch)
    if (fences.count >= fencesMax) {
      this.#refuse(`there are ${fencesMax} fences already`)
      return
    }
    if ('all' in message) this.#watches.set(message.watch, this.#watchMap(message.watch))
    else this.#watches.set(message.watch, this.#watchFence(message.watch, toShape(message)))
    this.#send({ watching: message.watch })
  }

  #watchFence(fence: string, shape: FenceShape): () => void {
    const { fences, state } = this.#options
    return fences.add(shape, (event, slot) =>
      this.#send({ fence, event, ...describeClient(state, slot) }),
    )
  }

  /** Begins with everybody who is on the map, in pieces, and goes on with those that move. */
  #watchMap(map: string): () => void {
    const { state, clock } = this.#options
    this.#maps++
    let next = 0
    const tell = () => {
      while (next < state.slotsEnd && this.#moved.size < mapClientsMax) this.#moved.add(next++)
      const slots = [...this.#moved].filter((slot) => state.isLocation(slot, clock.now()))
      const gone = [...this.#gone]
      this.#moved.clear()
      this.#gone.clear()
      if (slots.length + gone.length > 0)
        this.#send({ map, clients: slots.map((slot) => describeClient(state, slot)), gone })
    }
    const cancel = clock.every(mapMs, tell)
    return () => {
      this.#maps--
      cancel()
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
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#socket.bufferedAmount > behindBytesMax) this.#socket.terminate()
    else this.#socket.send(JSON.stringify(message))
  }
}

function parse(text: string): Request | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(request, value) ? value : undefined
  } catch {
    return undefined // Not JSON: the caller says what was expected.
  }
}

function toShape(
  message: Extract<Request, { circle: unknown }> | Extract<Request, { box: unknown }>,
): FenceShape {
  if ('box' in message) return { kind: 'box', box: message.box }
  return { kind: 'circle', center: message.circle, radiusKm: message.circle.radiusKm }
}
