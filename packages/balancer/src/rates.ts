import type { Cancel, Clock } from '@drover/kernel'
import type { EngineStats } from './plan.ts'

const sampleEveryMs = 1_000
const samplesMax = 6

interface Sample {
  readonly atMs: number
  /** Requests so far, by replica id. */
  readonly requests: ReadonlyMap<string, number>
}

/** Tells requests per second, over about the last five seconds, from counters that only grow. */
export class Rates {
  readonly #clock: Clock
  readonly #stats: () => Promise<EngineStats>
  readonly #samples: Sample[] = []
  #cancel: Cancel | undefined

  constructor(clock: Clock, stats: () => Promise<EngineStats>) {
    this.#clock = clock
    this.#stats = stats
  }

  start(): void {
    this.#cancel ??= this.#clock.every(sampleEveryMs, () => void this.#sample())
  }

  stop(): void {
    this.#cancel?.()
  }

  /** Returns the requests per second of a replica; 0 while too little is known. */
  of(replica: string): number {
    const first = this.#samples.find(({ requests }) => requests.has(replica))
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last === first) return 0
    const count = (last.requests.get(replica) ?? 0) - (first.requests.get(replica) ?? 0)
    return Math.max(0, (1_000 * count) / (last.atMs - first.atMs))
  }

  async #sample(): Promise<void> {
    try {
      const { services } = await this.#stats()
      const replicas = services.flatMap((service) => service.replicas)
      const requests = new Map(replicas.map(({ id, requestsTotal }) => [id, requestsTotal]))
      this.#samples.push({ atMs: this.#clock.monotonic(), requests })
      if (this.#samples.length > samplesMax) this.#samples.shift()
    } catch {
      // An engine that cannot tell now says so elsewhere; this sample is left out.
    }
  }
}
