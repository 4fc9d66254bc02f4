/**
 * Returns whole weights in the proportions of `weights`, from 1 to `most`. Whole weights that fit
 * stay as they are, so that shares stay exact.
 */
export function wholeWeights(weights: readonly number[], most: number): number[] {
  const isExact = weights.every((weight) => Number.isInteger(weight) && weight <= most)
  if (isExact) return [...weights]
  const heaviest = Math.max(...weights)
  return weights.map((weight) => Math.max(1, Math.round((weight / heaviest) * most)))
}
