/** Returns a PCRE that matches `text` itself; only letters, digits and `/_-` stand for themselves. */
export function literalPattern(text: string): string {
  return [...text].map((char) => (/[A-Za-z0-9/_-]/.test(char) ? char : `\\x${hex(char)}`)).join('')
}

/** Returns a PCRE for the paths that have `prefix`: the prefix itself, or going on after a slash. */
export function prefixPattern(prefix: string): string {
  if (prefix === '/') return '^/'
  return prefix.endsWith('/') ? `^${literalPattern(prefix)}` : `^${literalPattern(prefix)}(?:/|$)`
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(2, '0')
}

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
