import type { Lab } from './lab.ts'
import { mappedBytesOf } from './process-usage.ts'

const everyMs = 50

/** Follows the resident memory of a process and its children while something runs. */
export class MemoryWatch {
  readonly startBytes: number
  #mostBytes: number
  readonly #timer: NodeJS.Timeout

  constructor(lab: Lab, pid: number) {
    this.startBytes = mappedBytesOf(pid)
    this.#mostBytes = this.startBytes
    this.#timer = setInterval(() => {
      this.#mostBytes = Math.max(this.#mostBytes, mappedBytesOf(pid))
    }, everyMs)
    lab.onStop(() => clearInterval(this.#timer))
  }

  /** Ends the watch and returns the most that was seen. */
  stop(): number {
    clearInterval(this.#timer)
    return this.#mostBytes
  }
}
