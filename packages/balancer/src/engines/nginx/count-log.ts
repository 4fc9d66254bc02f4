import { type FileHandle, open } from 'node:fs/promises'
import type { ReplicaCounts } from '../../no-stats.ts'
import type { EngineEvent } from '../../plan.ts'
import { type Counters, countLatency, countStatus } from '../counters.ts'

const readBytesMax = 1 << 20
/** Past this the file is emptied once all of it was read; a few lines may be lost with it. */
const fileBytesMax = 32 << 20
/** Requests under way are guessed over the last readings of about this long. */
const guessMs = 2_000

/**
 * Reads the log that nginx writes for us, a line for each request, and counts. nginx itself counts
 * nothing per replica. Fields are parted by tabs; those of attempts have a value for each, parted
 * by `, ` or (after an internal redirect) ` : `:
 *
 *   h  service  addresses  times to head  times to connect  status  seconds  in  out  limit
 */
export class CountLog {
  readonly #file: FileHandle
  readonly #counters: Counters
  readonly #emit: (event: EngineEvent) => void
  readonly #buffer = Buffer.allocUnsafe(readBytesMax)
  readonly #busySeconds = new Map<string, number>()
  #position = 0
  #rest = ''
  #guessedAtMs = 0
  #reading = false

  private constructor(file: FileHandle, counters: Counters, emit: (event: EngineEvent) => void) {
    this.#file = file
    this.#counters = counters
    this.#emit = emit
  }

  /** Opens the log at `path`, which is made if it is missing. */
  static async open(
    path: string,
    counters: Counters,
    emit: (event: EngineEvent) => void,
  ): Promise<CountLog> {
    return new CountLog(await open(path, 'a+', 0o600), counters, emit)
  }

  /** Counts what was written since the last time. */
  async read(nowMs: number): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      while (await this.#readSome());
      this.#guess(nowMs)
    } finally {
      this.#reading = false
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  /** Returns whether there may be more. */
  async #readSome(): Promise<boolean> {
    const { bytesRead } = await this.#file.read(this.#buffer, 0, readBytesMax, this.#position)
    this.#position += bytesRead
    const lines = (this.#rest + this.#buffer.toString('latin1', 0, bytesRead)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#count(line)
    if (bytesRead === readBytesMax) return true
    if (this.#position > fileBytesMax) {
      await this.#file.truncate()
      this.#position = 0
    }
    return false
  }

  #count(line: string): void {
    const [kind, service, ...fields] = line.split('\t')
    if (service === undefined || service === '' || fields.length !== 8) return
    const [addresses = '', heads = '', connects = '', status = '', ...numbers] = fields
    const counts = this.#counters.service(service)
    if (numbers[3] === 'REJECTED') counts.rateLimitedTotal++
    const attempts = split(addresses)
    if (attempts[0] === '-' || attempts[0] === undefined) return
    counts.retriesTotal += attempts.length - 1
    const headTimes = split(heads)
    const connectTimes = split(connects)
    attempts.forEach((address, index) => {
      const id = this.#counters.idAt(service, address)
      const replica = id === undefined ? undefined : this.#counters.replica(id)
      if (replica === undefined) return
      const isLast = index === attempts.length - 1
      const isAnswered = kind === 't' ? connectTimes[index] !== '-' : headTimes[index] !== '-'
      // 499: the client went away first, which says nothing about the replica.
      const isAborted = isLast && status === '499'
      replica.requestsTotal++
      if (isLast) this.#countLast(replica, isAnswered ? Number(status) : 0, numbers)
      else countStatus(replica, 0)
      if (isAnswered) this.#emit({ kind: 'answered', replica: replica.id })
      else if (!isAborted) this.#fail(replica, connectTimes[index] === '-')
    })
  }

  #countLast(replica: ReplicaCounts, status: number, numbers: readonly string[]): void {
    const [seconds = 0, bytesIn = 0, bytesOut = 0] = numbers.map(Number)
    countStatus(replica, status)
    countLatency(replica, seconds)
    replica.bytesInTotal += bytesIn
    replica.bytesOutTotal += bytesOut
    this.#busySeconds.set(replica.id, (this.#busySeconds.get(replica.id) ?? 0) + seconds)
  }

  /** Failed connections were told already, when nginx complained of them. */
  #fail(replica: ReplicaCounts, isConnect: boolean): void {
    replica.failuresTotal++
    if (isConnect) return
    this.#emit({ kind: 'failed', replica: replica.id, reason: 'no whole head of an answer came' })
  }

  /**
   * nginx does not tell requests under way per replica. By Little's law their mean number is the
   * time that all requests took together, over the time that went by; those that last are missed.
   */
  #guess(nowMs: number): void {
    if (nowMs - this.#guessedAtMs < guessMs) return
    const elapsedSeconds = (nowMs - this.#guessedAtMs) / 1_000
    this.#guessedAtMs = nowMs
    for (const id of this.#counters.ids()) {
      const replica = this.#counters.replica(id)
      if (replica) replica.inFlight = Math.round((this.#busySeconds.get(id) ?? 0) / elapsedSeconds)
    }
    this.#busySeconds.clear()
  }
}

function split(values: string): string[] {
  return values.split(/, | : /)
}
