/** Neighbouring offsets as pairs of first and last: `[3, 5, 9, 9]` is 3, 4, 5 and 9. */
export type Runs = readonly number[]

/** Returns `offsets`, in any order, as runs. */
export function toRuns(offsets: readonly number[]): number[] {
  const runs: number[] = []
  for (const offset of [...offsets].sort((one, other) => one - other)) {
    if (runs.at(-1) === offset - 1) runs[runs.length - 1] = offset
    else runs.push(offset, offset)
  }
  return runs
}

/** Calls `visit` with each offset of `runs`. */
export function eachOffset(runs: Runs, visit: (offset: number) => void): void {
  for (let at = 0; at + 1 < runs.length; at += 2)
    for (let offset = runs[at] ?? 0; offset <= (runs[at + 1] ?? -1); offset++) visit(offset)
}
