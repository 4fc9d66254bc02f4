/** Colours of lines in the style sheet, from the second on: the first means "all". */
const colors = 7

/** The variable of the colour of the replica at `index`; they repeat after seven. */
export function colorOf(index: number): string {
  return `--line-${(index % colors) + 2}`
}
