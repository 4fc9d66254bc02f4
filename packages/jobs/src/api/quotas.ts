import { type Clock, Fault } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { JobStore } from '../store/job-store.ts'
import type { SubmissionStore } from '../store/submission-store.ts'

/** What one account may. 0 means no limit. */
export interface Quota {
  /** Jobs that have not ended. */
  readonly unfinishedMax: number
  /** Jobs submitted in one minute of the wall clock. */
  readonly perMinuteMax: number
}

interface Known {
  unfinished: number
  minuteMs: number
  /** Accepted in this minute, as far as this replica knows. */
  inMinute: number
  /** Accepted here since the store was told. */
  untold: number
  untilMs: number
  reading: Promise<void> | undefined
}

/** The accounts that a replica remembers. */
const knownMax = 10_000

const minute = 60_000

/**
 * Counts what accounts submit. A replica asks the store once per `countedMs` and counts by itself
 * meanwhile, so an account may exceed its quota by what the other replicas accept in that time. Jobs
 * count as unfinished from when they are recorded. While the store is away, what was known holds.
 */
export class Quotas {
  readonly #jobs: JobStore
  readonly #submissions: SubmissionStore
  readonly #clock: Clock
  readonly #countedMs: number
  readonly #known = new Map<string, Known>()

  constructor(jobs: JobStore, submissions: SubmissionStore, clock: Clock, countedMs: number) {
    this.#jobs = jobs
    this.#submissions = submissions
    this.#clock = clock
    this.#countedMs = countedMs
  }

  /** Throws QUOTA_REACHED when `count` more would be too many; counts them otherwise. */
  async charge(ownerId: string, count: number, quota: Quota): Promise<void> {
    const { unfinishedMax, perMinuteMax } = quota
    if (unfinishedMax === 0 && perMinuteMax === 0) return
    const known = this.#known.get(ownerId) ?? this.#meet(ownerId)
    if (this.#isOld(known)) {
      known.reading ??= this.#read(ownerId, known, quota).finally(() => {
        known.reading = undefined
      })
      await known.reading
    }
    if (unfinishedMax > 0 && known.unfinished + count > unfinishedMax)
      throw fault('QUOTA_REACHED', `${known.unfinished} of ${unfinishedMax} jobs are unfinished`)
    if (perMinuteMax > 0 && known.inMinute + count > perMinuteMax)
      throw fault('QUOTA_REACHED', `${known.inMinute} of ${perMinuteMax} jobs came in this minute`)
    known.unfinished += count
    known.inMinute += count
    known.untold += count
  }

  #meet(ownerId: string): Known {
    const known: Known = {
      ...{ unfinished: 0, minuteMs: 0, inMinute: 0, untold: 0 },
      ...{ untilMs: Number.NEGATIVE_INFINITY, reading: undefined },
    }
    const oldest = this.#known.keys().next()
    if (this.#known.size >= knownMax && !oldest.done) this.#known.delete(oldest.value)
    this.#known.set(ownerId, known)
    return known
  }

  #isOld({ untilMs, minuteMs }: Known): boolean {
    return this.#clock.monotonic() >= untilMs || minuteMs !== this.#minute()
  }

  #minute(): number {
    return Math.floor(this.#clock.now() / minute) * minute
  }

  async #read(ownerId: string, known: Known, { unfinishedMax, perMinuteMax }: Quota) {
    const minuteMs = this.#minute()
    if (minuteMs !== known.minuteMs) Object.assign(known, { minuteMs, inMinute: 0, untold: 0 })
    try {
      if (unfinishedMax > 0) known.unfinished = await this.#jobs.unfinished(ownerId)
      const told = known.untold
      if (perMinuteMax > 0) {
        known.inMinute = await this.#submissions.addToMinute(ownerId, minuteMs, told)
        known.untold -= told
      }
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'STORE_UNAVAILABLE') throw error
    }
    known.untilMs = this.#clock.monotonic() + this.#countedMs
  }
}
