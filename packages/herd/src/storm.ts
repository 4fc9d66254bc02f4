import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type Cancel,
  type Clock,
  type Random,
  type Service,
  systemClock,
  systemRandom,
} from '@drover/kernel'
import { fault } from './errors.ts'
import { LF, QUESTION } from './protocol/bytes.ts'
import type { Position } from './protocol/location.ts'
import { halfwayRoundKm } from './state/geo.ts'
import type { Topology, TopologyServer } from './topology.ts'
import { Walker } from './walker.ts'
import { WallClock } from './wall-clock.ts'

/** Clients that walk over the map. */
export interface StormOptions {
  readonly topology: Topology
  /** How many walk: 1 to 100,000. */
  readonly clients: number
  /** Lines a second, of all together: 1 to 20,000. */
  readonly rate: number
  /** They begin within so many km of here, and turn back there. Default: the whole globe. */
  readonly around?: Position
  readonly withinKm?: number
  readonly clock?: Clock
  /** Draws who walks where; give a seeded one to have the same walks again. */
  readonly random?: Random
}

/** What a storm has done so far. */
export interface StormCounts {
  said: number
  answered: number
  /** Answers that began with a question mark. */
  refused: number
  /** Lines that were due while no server took any. */
  skipped: number
}

/** A running storm. */
export interface Storm extends Service {
  readonly counts: StormCounts
  /** Names of the servers that are connected now. */
  readonly connected: readonly string[]
}

const stepMs = 20
const retryMs = 1_000
/** A server that has not read so much is left alone until it has. */
const behindBytesMax = 65_536
/** Lines of one step at most: what a stopped process owes afterwards is forgotten. */
const linesPerStepMax = 2_000

/**
 * Makes a storm: clients that walk over the map and tell a random server where they are, for maps
 * and demonstrations. Nothing is sent before `start`. Throws HERD_QUERY_INVALID.
 */
export function createStorm(options: StormOptions): Storm {
  const { topology, clients, rate, clock = systemClock, random = systemRandom } = options
  if (!(Number.isInteger(clients) && clients >= 1 && clients <= 100_000))
    throw fault('HERD_QUERY_INVALID', `a storm has 1 to 100,000 clients, not ${clients}`)
  if (!(rate > 0 && rate <= 20_000))
    throw fault('HERD_QUERY_INVALID', `a storm says up to 20,000 lines a second, not ${rate}`)
  const withinKm = Math.min(options.withinKm ?? halfwayRoundKm, halfwayRoundKm)
  const center = options.around ?? { latitude: 0, longitude: 0 }
  const walkers = Array.from(
    { length: clients },
    (_, number) => new Walker(`storm-${number + 1}`, center, withinKm, random),
  )
  const counts: StormCounts = { said: 0, answered: 0, refused: 0, skipped: 0 }
  const speakers = topology.servers.map((server) => new Speaker(server, clock, counts))
  const time = new WallClock(clock)
  const now = { seconds: 0, nanos: 0 }
  let owed = 0
  let atMs = 0
  let next = 0
  let stopSteps: Cancel = () => {}

  const step = (): void => {
    const nowMs = clock.monotonic()
    owed = Math.min(linesPerStepMax, owed + ((nowMs - atMs) / 1_000) * rate)
    atMs = nowMs
    for (; owed >= 1; owed--) {
      const ready = speakers.filter((speaker) => speaker.isReady)
      const speaker = ready[random.integer(0, Math.max(0, ready.length - 1))]
      if (!speaker) {
        counts.skipped++
        continue
      }
      const walker = walkers[next++ % clients] as Walker
      time.read(now)
      speaker.say(walker.walk(clients / rate, now))
      counts.said++
    }
  }
  return {
    counts,
    get connected() {
      return speakers.filter((speaker) => speaker.isReady).map(({ name }) => name)
    },
    async start() {
      atMs = clock.monotonic()
      for (const speaker of speakers) speaker.start()
      stopSteps = clock.every(stepMs, step)
    },
    async stop() {
      stopSteps()
      for (const speaker of speakers) speaker.stop()
    },
  }
}

/**
 * Runs a storm until the signal aborts, and tells how it goes each second. Throws HERD_SILENT when no
 * server has answered a single line by then.
 */
export async function stormHerd(
  options: StormOptions,
  onSecond: (counts: Readonly<StormCounts>, connected: readonly string[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const storm = createStorm(options)
  const { topology, clock = systemClock } = options
  await storm.start()
  const stopTelling = clock.every(1_000, () => onSecond(storm.counts, storm.connected))
  if (!signal.aborted) await once(signal, 'abort')
  stopTelling()
  await storm.stop()
  if (storm.counts.answered === 0)
    throw fault('HERD_SILENT', `no server of ${topology.name} answered; is the herd up?`)
}

/** A connection to one server, made again when it is lost. */
class Speaker {
  readonly name: string
  readonly #server: TopologyServer
  readonly #clock: Clock
  readonly #counts: StormCounts
  #socket: Socket | undefined
  #isOpen = false
  #cancelRetry: Cancel = () => {}

  constructor(server: TopologyServer, clock: Clock, counts: StormCounts) {
    this.name = server.name
    this.#server = server
    this.#clock = clock
    this.#counts = counts
  }

  get isReady(): boolean {
    return this.#isOpen && (this.#socket?.writableLength ?? 0) < behindBytesMax
  }

  start(): void {
    const socket = connect({ ...this.#server.address, noDelay: true })
    this.#socket = socket
    let isLineStart = true
    socket.on('connect', () => {
      this.#isOpen = true
    })
    socket.on('data', (bytes: Buffer) => {
      for (const byte of bytes) {
        if (isLineStart && byte === QUESTION) this.#counts.refused++
        isLineStart = byte === LF
        if (isLineStart) this.#counts.answered++
      }
    })
    socket.on('error', () => {}) // 'close' follows.
    socket.on('close', () => {
      this.#isOpen = false
      this.#cancelRetry = this.#clock.after(retryMs, () => this.start())
    })
  }

  say(line: string): void {
    this.#socket?.write(line, 'latin1')
  }

  stop(): void {
    this.#socket?.removeAllListeners('close').destroy()
    this.#isOpen = false
    this.#cancelRetry()
  }
}
