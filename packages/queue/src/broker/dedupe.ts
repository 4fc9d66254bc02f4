/** The dedupe keys of one partition, in the order in which they were stored. */
export class DedupeKeys {
  readonly #known = new Map<string, { readonly offset: number; readonly untilMs: number }>()

  static restore(kept: readonly (readonly [string, number, number])[]): DedupeKeys {
    const keys = new DedupeKeys()
    for (const [key, offset, untilMs] of kept) keys.#known.set(key, { offset, untilMs })
    return keys
  }

  keep(): [string, number, number][] {
    return [...this.#known].map(([key, { offset, untilMs }]) => [key, offset, untilMs])
  }

  /** Returns where a message with this key was stored within its window. */
  find(key: string, nowMs: number): number | undefined {
    const known = this.#known.get(key)
    return known && known.untilMs > nowMs ? known.offset : undefined
  }

  /** Remembers `key`, and forgets those whose window is over, and the oldest beyond `keysMax`. */
  apply(key: string, offset: number, timeMs: number, windowMs: number, keysMax: number): void {
    this.#known.delete(key)
    this.#known.set(key, { offset, untilMs: timeMs + windowMs })
    for (const [oldest, { untilMs }] of this.#known) {
      if (untilMs > timeMs && this.#known.size <= keysMax) break
      this.#known.delete(oldest)
    }
  }
}
