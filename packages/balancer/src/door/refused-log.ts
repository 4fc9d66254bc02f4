import type { Clock } from '@drover/kernel'
import type { RefusedRequest } from '../plan.ts'

const keptMax = 100
const headBytesMax = 512
const reasonsMax = 200

/** The last requests that broke the rules of parsing, and how many there were of each kind. */
export class RefusedLog {
  readonly #clock: Clock
  #kept: RefusedRequest[] = []
  readonly #counts = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  record(listener: string, client: string, status: number, reason: string, bytes: Buffer): void {
    const head = bytes.toString('latin1', 0, Math.min(bytes.length, headBytesMax))
    this.#kept.push({ atMs: this.#clock.now(), listener, client, reason, status, head })
    if (this.#kept.length > keptMax) this.#kept = this.#kept.slice(-keptMax / 2)
    const key = `${listener}\n${reason}`
    if (this.#counts.has(key) || this.#counts.size < reasonsMax)
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** The last of them, newest first. */
  list(): readonly RefusedRequest[] {
    return this.#kept.toReversed()
  }

  /** How many of each kind a listener refused since it began. */
  countsOf(listener: string): Record<string, number> {
    return Object.fromEntries(
      [...this.#counts]
        .filter(([key]) => key.startsWith(`${listener}\n`))
        .map(([key, count]) => [key.slice(listener.length + 1), count]),
    )
  }
}
