import { type Cancel, describeError, type Service, systemClock } from '@drover/kernel'
import type { Disk } from '../state/disk.ts'
import type { HerdState } from '../state/herd-state.ts'
import { readSnapshot, writeSnapshot } from '../state/snapshot.ts'
import type { ActivityLog } from './activity-log.ts'

/** Expired records are looked for this often, a share of all at a time. */
const sweepMs = 250
const sweepsPerRound = 40

/** What the upkeep of a server needs. */
export interface UpkeepOptions {
  readonly disk: Disk | undefined
  readonly snapshotMs: number
  readonly log: ActivityLog | undefined
}

/** Frees what has expired, loads the snapshot at the start and makes new ones. */
export class Upkeep implements Service {
  readonly #state: HerdState
  readonly #file: string
  readonly #options: UpkeepOptions
  #cancels: Cancel[] = []
  #saving: Promise<void> | undefined

  constructor(state: HerdState, name: string, options: UpkeepOptions) {
    this.#state = state
    this.#file = `${name}.snapshot`
    this.#options = options
  }

  async start(): Promise<void> {
    const { disk, snapshotMs, log } = this.#options
    try {
      const bytes = await disk?.read(this.#file)
      if (bytes) readSnapshot(bytes, this.#state, systemClock.now())
      if (bytes) log?.event('herd.snapshot.loaded', { records: this.#state.count })
    } catch (error) {
      // The neighbours have what a broken snapshot does not give.
      log?.event('herd.snapshot.broken', { cause: describeError(error) })
    }
    const slots = Math.ceil(this.#state.limits.recordsMax / sweepsPerRound)
    this.#cancels = [
      systemClock.every(sweepMs, () => this.#state.sweep(slots, systemClock.now())),
      systemClock.every(snapshotMs, () => void this.#save()),
    ]
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#saving
    await this.#save()
  }

  /** One at a time: a slow disk skips a turn. */
  #save(): Promise<void> {
    const { disk, log } = this.#options
    if (!disk) return Promise.resolve()
    this.#saving ??= disk
      .replace(this.#file, writeSnapshot(this.#state, systemClock.now()))
      .catch((error) => log?.event('herd.snapshot.failed', { cause: describeError(error) }))
      .finally(() => {
        this.#saving = undefined
      })
    return this.#saving
  }
}
