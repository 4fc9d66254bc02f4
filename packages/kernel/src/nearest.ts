/**
 * Returns the word of `known` that a person most likely meant by `typed`, or undefined when none
 * is near: more than a third of its letters differ. Distance is Damerau-Levenshtein in its
 * "optimal string alignment" form; cost O(|typed| · sum of |known|).
 */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const word of known) {
    const distance = editDistance(typed.toLowerCase(), word.toLowerCase())
    if (distance < bestDistance && distance <= Math.max(1, Math.ceil(word.length / 3))) {
      best = word
      bestDistance = distance
    }
  }
  return best
}

/** Counts the insertions, deletions, changes and swaps of neighbours between two words. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      const swapped =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1]
      const changed = (last[column - 1] ?? 0) + (same ? 0 : 1)
      const moved = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1)
      const turned = swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
      current.push(Math.min(changed, moved, turned))
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}
