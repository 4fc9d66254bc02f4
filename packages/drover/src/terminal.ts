import { styleText } from 'node:util'

/** Writes a line to standard output. */
export function say(line = ''): void {
  process.stdout.write(`${line}\n`)
}

/** Writes a line to standard error. */
export function warn(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Returns `text` in a colour where the output is a terminal that shows it (NO_COLOR is heeded). */
export function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text)
}

/** Returns rows under a heading, columns as wide as their widest cell. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [paint('bold', line(heading)), ...rows.map(line)].join('\n')
}

/** Returns how long ago `atMs` was, as people say it: `5 s`, `3 min`, `2 h`, `4 d`. */
export function ago(nowMs: number, atMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1_000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}
