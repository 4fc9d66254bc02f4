/** How evenly requests fell on replicas. */
export interface Spread {
  readonly mean: number
  /** The standard deviation over the replicas. */
  readonly deviation: number
  readonly least: number
  readonly most: number
  /** The most loaded replica's requests, divided by the mean; 1 is even. */
  readonly mostOverMean: number
}

/** Returns the spread of `counts`, one number for each replica. */
export function spreadOf(counts: readonly number[]): Spread {
  const mean = counts.reduce((sum, count) => sum + count, 0) / Math.max(1, counts.length)
  const squares = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0)
  const most = Math.max(0, ...counts)
  return {
    mean,
    deviation: Math.sqrt(squares / Math.max(1, counts.length)),
    least: counts.length === 0 ? 0 : Math.min(...counts),
    most,
    mostOverMean: mean === 0 ? 0 : most / mean,
  }
}

/** Returns the value below which `share` (0..1) of the sorted `values` lie; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}
