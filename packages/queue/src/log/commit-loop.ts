import { fault } from '../errors.ts'

interface Waiting {
  readonly batch: Buffer
  readonly done: (error?: unknown) => void
}

/** How much a commit loop takes at once and holds. */
export interface CommitLoopOptions {
  readonly commitBytesMax: number
  readonly waitingBytesMax: number
  /** Writes and syncs one group. After it has failed once it is never called again. */
  readonly write: (batches: readonly Buffer[], bytes: number) => Promise<void>
  /** Called with each group that is durable now, before anybody is told. */
  readonly onDurable: (batches: readonly Buffer[]) => void
  readonly onFailure: (error: unknown) => void
}

/**
 * Group commit: while one write and sync is under way, the next batches gather; then all of those go
 * out as one group and are answered at once.
 *
 *   add ─▶ waiting ─▶ write + fdatasync ─▶ onDurable ─▶ each add resolves
 */
export class CommitLoop {
  readonly #options: CommitLoopOptions
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #running: Promise<void> | undefined
  #failure: unknown
  /** Batches taken in, and those of them that are durable: a mark to wait for. */
  added = 0
  durable = 0
  #marks: { readonly mark: number; readonly done: (error?: unknown) => void }[] = []

  constructor(options: CommitLoopOptions) {
    this.#options = options
  }

  /** Calls `done` when `batch` is durable, or with what failed. Throws BROKER_BUSY and DISK_FAILED. */
  add(batch: Buffer, done: (error?: unknown) => void): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#waiting.push({ batch, done })
    this.#waitingBytes += batch.length
    this.added++
    this.#running ??= this.#run()
  }

  /** Throws BROKER_BUSY when the disk is too far behind, and DISK_FAILED after a failure. */
  checkRoom(bytes: number): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#waitingBytes + bytes > this.#options.waitingBytesMax)
      throw fault('BROKER_BUSY', `${this.#waitingBytes} bytes are waiting for the disk`)
  }

  /** Resolves when everything added up to now is durable. */
  whenDurable(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.durable === this.added) return Promise.resolve()
    const mark = this.added
    return new Promise((resolve, reject) => {
      this.#marks.push({ mark, done: (error) => (error === undefined ? resolve() : reject(error)) })
    })
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Fails everything that waits, and all that comes. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    const waiting = this.#waiting.splice(0)
    const marks = this.#marks.splice(0)
    for (const { done } of [...waiting, ...marks]) done(error)
  }

  async #run(): Promise<void> {
    // Whatever else arrived in the same chunk from the network joins the first group.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#commit(this.#take())
    this.#running = undefined
  }

  #take(): Waiting[] {
    const { commitBytesMax } = this.#options
    let bytes = 0
    let count = 0
    for (const { batch } of this.#waiting) {
      if (count > 0 && bytes + batch.length > commitBytesMax) break
      bytes += batch.length
      count++
    }
    return count === this.#waiting.length ? this.#waiting.splice(0) : this.#waiting.splice(0, count)
  }

  async #commit(group: Waiting[]): Promise<void> {
    const batches = group.map(({ batch }) => batch)
    const bytes = batches.reduce((sum, batch) => sum + batch.length, 0)
    try {
      await this.#options.write(batches, bytes)
      if (this.#failure !== undefined) throw this.#failure
    } catch (cause) {
      const known = fault('DISK_FAILED', 'the write-ahead log cannot be written', { cause })
      const failure = this.#failure ?? known
      for (const { done } of group) done(failure)
      if (this.#failure === undefined) {
        this.fail(failure)
        this.#options.onFailure(failure)
      }
      return
    }
    this.#waitingBytes -= bytes
    this.durable += group.length
    this.#options.onDurable(batches)
    for (const { done } of group) done()
    while (this.#marks[0] && this.#marks[0].mark <= this.durable) this.#marks.shift()?.done()
  }
}
