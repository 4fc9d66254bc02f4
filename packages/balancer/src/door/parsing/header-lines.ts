/** Removes the lines of `lines` whose lower-case name stands between blanks in `names`. */
export function dropLines(lines: string, names: string): string {
  return lines
    .split('\r\n')
    .filter((line) => {
      const name = line.slice(0, line.indexOf(':')).toLowerCase()
      return line !== '' && !names.includes(` ${name} `)
    })
    .map((line) => `${line}\r\n`)
    .join('')
}

/** Calls `take` with the name (as written) and value of each line of `lines`. */
export function eachLine(lines: string, take: (name: string, value: string) => void): void {
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) take(line.slice(0, colon), line.slice(colon + 1).trim())
  }
}
