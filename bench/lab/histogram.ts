const stepsPerDoubling = 128

/**
 * Counts durations in constant memory. Buckets are logarithmic with 128 to a doubling, so a
 * percentile is right to 0.6 %, from a microsecond to an hour.
 */
export class Histogram {
  readonly #counts = new Float64Array(32 * stepsPerDoubling)
  #count = 0
  #sumMs = 0
  #mostMs = 0

  get count(): number {
    return this.#count
  }

  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count
  }

  get mostMs(): number {
    return this.#mostMs
  }

  add(durationMs: number, times = 1): void {
    const bucket = bucketOf(durationMs)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times
    this.#count += times
    this.#sumMs += durationMs * times
    if (durationMs > this.#mostMs) this.#mostMs = durationMs
  }

  /** Returns the duration in ms that `percent` (0..100) of those counted do not pass; 0 of none. */
  percentile(percent: number): number {
    let left = Math.ceil((this.#count * percent) / 100)
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      left -= this.#counts[bucket] ?? 0
      if (left <= 0 && this.#count > 0) return Math.min(this.#mostMs, middleMs(bucket))
    }
    return this.#mostMs
  }

  /** Returns what has been counted as plain JSON, for another process. */
  toJSON(): [number, number][] {
    return [...this.#counts.entries()]
      .filter(([, count]) => count > 0)
      .map(([bucket, count]) => [middleMs(bucket), count])
  }

  /** Returns the histogram that `toJSON` described. */
  static from(pairs: readonly (readonly [number, number])[]): Histogram {
    const histogram = new Histogram()
    for (const [durationMs, count] of pairs) histogram.add(durationMs, count)
    return histogram
  }
}

function bucketOf(durationMs: number): number {
  const doublings = Math.log2(Math.max(1, durationMs * 1_000))
  return Math.min(32 * stepsPerDoubling - 1, Math.floor(doublings * stepsPerDoubling))
}

function middleMs(bucket: number): number {
  return 2 ** ((bucket + 0.5) / stepsPerDoubling) / 1_000
}
