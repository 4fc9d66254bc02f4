/**
 * Gathers the header lines of a head that are passed on, as slices of its text between the lines
 * that are dropped; used again for the next head. Offsets count from the text's start.
 */
export class KeptLines {
  #text = ''
  #lines = ''
  /** What comes from here on is kept until something is dropped. */
  #from = 0

  begin(text: string, from: number): void {
    this.#text = text
    this.#lines = ''
    this.#from = from
  }

  /** Drops the line at `[from, to)`; lines are dropped in their order. */
  drop(from: number, to: number): void {
    if (from > this.#from) this.#lines += this.#text.slice(this.#from, from)
    this.#from = to
  }

  /** Returns the lines kept up to `to`, without those whose names stand in `nominated`. */
  end(to: number, nominated: string): string {
    this.drop(to, to)
    return nominated === '' ? this.#lines : dropLines(this.#lines, nominated)
  }
}

/** Removes the lines of `lines` whose lower-case name stands between blanks in `names`. */
function dropLines(lines: string, names: string): string {
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
