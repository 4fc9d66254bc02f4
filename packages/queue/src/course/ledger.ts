import { Fault, type Log } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { Disk } from '../log/disk.ts'
import { type CourseEvent, CourseState } from './course-state.ts'
import { Journal } from './journal.ts'

const journalName = 'course.journal'

/**
 * The course's state together with the journal that keeps it. An event is taken into memory at once
 * and is lasting when `note` resolves; whoever answers a client awaits that first. After the journal
 * failed, `ready` forgets what it does not have and goes on from there.
 */
export class CourseLedger {
  readonly #disk: Disk
  readonly #log: Log
  #state: CourseState
  #journal: Journal<CourseEvent>
  #reopening: Promise<void> | undefined
  #closed = false

  private constructor(disk: Disk, log: Log, state: CourseState, journal: Journal<CourseEvent>) {
    this.#disk = disk
    this.#log = log
    this.#state = state
    this.#journal = journal
  }

  /** Reads the journal on `disk`, or begins one. Throws LOG_DAMAGED, FORMAT_UNKNOWN, DISK_FAILED. */
  static async open(disk: Disk, log: Log): Promise<CourseLedger> {
    const { state, journal } = await openJournal(disk)
    return new CourseLedger(disk, log, state, journal)
  }

  /** Changes as a whole when the journal has failed: do not keep it over a wait. */
  get state(): CourseState {
    return this.#state
  }

  /** Resolves when `event` would survive a power cut. Throws DISK_FAILED. */
  note(event: CourseEvent): Promise<void> {
    if (!this.#journal.failed) this.#state.apply(event)
    const noted = this.#journal.append(event)
    this.#journal.rewriteWhenLarge(() => this.#state.toEvents()).catch(() => {})
    return noted
  }

  /** To be awaited at the start of every call. Throws DISK_FAILED, BROKER_STOPPED. */
  async ready(): Promise<void> {
    if (this.#closed) throw fault('BROKER_STOPPED', 'the managers of the course have stopped')
    if (!this.#journal.failed) return
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined
    })
    await this.#reopening
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#journal.close()
  }

  async #reopen(): Promise<void> {
    this.#log.warn('the journal of the course failed and is read anew')
    await this.#journal.close().catch(() => {})
    const { state, journal } = await openJournal(this.#disk, this.#journal.durableBytes)
    this.#state = state
    this.#journal = journal
  }
}

async function openJournal(disk: Disk, durableBytes?: number) {
  const state = new CourseState()
  const apply = (event: CourseEvent) => state.apply(event)
  try {
    return { state, journal: await Journal.open(disk, journalName, apply, durableBytes) }
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw fault('DISK_FAILED', `${journalName} cannot be opened`, { cause })
  }
}
