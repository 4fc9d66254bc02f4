/**
 * Returns the value below which the part `share` of the observations lies, by cumulative counts under
 * upper bounds, as Prometheus' histogram_quantile does: linear within a bucket, and the highest
 * finite bound for what is above it. Undefined without observations.
 */
export function quantile(
  cumulative: ReadonlyMap<number, number>,
  share: number,
): number | undefined {
  const bounds = [...cumulative].sort(([one], [other]) => one - other)
  const total = bounds.at(-1)?.[1] ?? 0
  if (total <= 0) return undefined
  const wanted = share * total
  let lower = 0
  let below = 0
  for (const [upper, count] of bounds) {
    if (count >= wanted) {
      if (upper === Number.POSITIVE_INFINITY) return lower
      return lower + ((upper - lower) * (wanted - below)) / Math.max(1e-12, count - below)
    }
    lower = upper
    below = count
  }
  return lower
}
