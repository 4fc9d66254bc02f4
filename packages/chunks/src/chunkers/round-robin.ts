import type { Groups } from '../pieces/groups.ts'

/** Deals lines out to `count` parts in turn, as `split -n r/N` does. */
export class RoundRobin {
  readonly #count: number
  readonly #separator: number
  #group = 0

  constructor(count: number, separator: number) {
    this.#count = count
    this.#separator = separator
  }

  /** Adds the lines (and parts of lines) of `bytes` to `groups`. */
  push(bytes: Buffer, groups: Groups): void {
    let start = 0
    while (start < bytes.length) {
      const found = bytes.indexOf(this.#separator, start)
      const end = found < 0 ? bytes.length : found + 1
      groups.append(this.#group, bytes, start, end)
      if (found >= 0) this.#group = (this.#group + 1) % this.#count
      start = end
    }
  }
}
