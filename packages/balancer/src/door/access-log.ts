import { closeSync, openSync, write } from 'node:fs'
import type { Clock } from '@drover/kernel'
import type { RequestHead } from './parsing/request-head.ts'

/** What one line of the log tells beside the request itself. */
export interface AccessEntry {
  readonly client: string
  readonly service: string | undefined
  readonly replica: string | undefined
  readonly status: number
  readonly durationMs: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly attempts: number
  readonly trouble: string
}

const flushMs = 200
/** Text that waits for the disk; what comes on top is counted and left out. */
const pendingBytesMax = 8 * 2 ** 20

/**
 * The access log: a JSON line for each request, gathered and written in batches so that no request
 * waits for the disk. When the disk does not keep up lines are left out, and a line says how many.
 */
export class AccessLog {
  readonly #clock: Clock
  readonly #descriptor: number
  readonly #stopFlushing: () => void
  #pending: string[] = []
  #pendingBytes = 0
  #leftOut = 0
  #writing = false

  /** `file` is a path, or `-` for standard output. */
  constructor(file: string, clock: Clock) {
    this.#clock = clock
    this.#descriptor = file === '-' ? 1 : openSync(file, 'a', 0o640)
    this.#stopFlushing = clock.every(flushMs, () => this.#flush())
  }

  record(head: RequestHead, entry: AccessEntry): void {
    if (this.#pendingBytes > pendingBytesMax) {
      this.#leftOut++
      return
    }
    const { durationMs, ...rest } = entry
    const line = JSON.stringify({
      time: new Date(this.#clock.now()).toISOString(),
      method: head.method,
      host: head.host,
      target: head.target,
      ...rest,
      durationMs: Math.round(durationMs * 1_000) / 1_000,
      requestId: head.requestId,
      traceparent: head.traceparent,
    })
    this.#pending.push(line)
    this.#pendingBytes += line.length
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    this.#stopFlushing()
    for (let turn = 0; turn < 100 && (this.#pending.length > 0 || this.#writing); turn++) {
      this.#flush()
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (this.#descriptor !== 1) closeSync(this.#descriptor)
  }

  #flush(): void {
    if (this.#writing || this.#pending.length === 0) return
    if (this.#leftOut > 0) this.#pending.push(JSON.stringify({ leftOut: this.#leftOut }))
    const bytes = Buffer.from(`${this.#pending.join('\n')}\n`)
    this.#pending = []
    this.#pendingBytes = 0
    this.#leftOut = 0
    this.#writing = true
    this.#write(bytes, 0)
  }

  #write(bytes: Buffer, at: number): void {
    write(this.#descriptor, bytes, at, bytes.length - at, null, (error, written) => {
      if (!error && at + written < bytes.length) this.#write(bytes, at + written)
      else this.#writing = false
    })
  }
}
