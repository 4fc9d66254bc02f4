import type { Clock } from '@drover/kernel'
import type { QueueRecord } from '../message.ts'
import type { QueueEngine } from '../queue-engine.ts'
import type { CoursePart } from './course-state.ts'

/** What is asked for at once. Larger asks the engine less often, and holds more for slow consumers. */
const [messagesMax, bytesMax] = [64, 65_536]
/** How long messages are kept before they are asked for again: they may be purged meanwhile. */
const freshMs = 1_000
/** Consumers whose messages are kept at one time; the oldest are forgotten beyond. */
const keptMax = 1_000

interface Ahead {
  readonly records: readonly QueueRecord[]
  readonly untilMs: number
}

/** Fetches some messages for each consumer at once, since the course's API hands them out one by one. */
export class ReadAhead {
  readonly #engine: QueueEngine
  readonly #clock: Clock
  readonly #ahead = new Map<string, Ahead>()

  constructor(engine: QueueEngine, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
  }

  /** Returns the first message of `part` at `offset` or behind it; `key` names who reads there. */
  async recordAt(key: string, part: CoursePart, offset: number): Promise<QueueRecord | undefined> {
    const nowMs = this.#clock.monotonic()
    const known = this.#ahead.get(key)
    const found = known?.records.find((record) => record.offset >= offset)
    if (known && found && known.untilMs > nowMs && (known.records[0]?.offset ?? 0) <= offset)
      return found
    const limits = { messagesMax, bytesMax }
    const fetched = await this.#engine.fetch(part.topic, part.index, { offset }, limits)
    this.#keep(key, { records: fetched.records, untilMs: nowMs + freshMs })
    return fetched.records[0]
  }

  #keep(key: string, ahead: Ahead): void {
    this.#ahead.delete(key)
    if (ahead.records.length > 1) this.#ahead.set(key, ahead)
    if (this.#ahead.size <= keptMax) return
    for (const oldest of this.#ahead.keys()) {
      this.#ahead.delete(oldest)
      return
    }
  }
}
