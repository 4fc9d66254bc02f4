import { fault } from '../errors.ts'
import { firstLetter } from './alphabet-bytes.ts'

/** Words of one first letter and how often each is repeated. */
export interface WordEntries {
  readonly words: Buffer[]
  readonly counts: number[]
}

/** The most bytes of words and lines of a word list, which is kept in memory. */
const listBytesMax = 64 * 2 ** 20
const listLinesMax = 2_000_000
/** The most repetitions of one word list in all. */
const sumMax = 1_000_000_000

const line = /^\s*\d+\s+(\S+)\s+\S+\s+(\d+)\s*$/

/** Lines at the start that are looked at to tell a word list from a text. */
const linesSeen = 20

/** Tells a word list (line number, word, word, count) by the first lines of a file. */
export function looksLikeWordList(head: Buffer, isWhole: boolean): boolean {
  const lines = head.toString('latin1').split('\n', linesSeen + 1)
  const whole = lines.length > linesSeen || !isWhole ? lines.slice(0, -1) : lines
  const filled = whole.filter((text) => text.trim() !== '')
  return filled.length > 0 && filled.every((text) => line.test(text))
}

/** Reads a word list: its words by first letter, in the order of the file. */
export class WordListReader {
  readonly byLetter: readonly WordEntries[] = Array.from({ length: 26 }, () => ({
    words: [],
    counts: [],
  }))
  #tail = ''
  #number = 0
  #bytes = 0
  #sum = 0

  /** Throws NOT_TEXT with the number of a line that has other columns, PIECE_TOO_LARGE over the limits. */
  push(bytes: Buffer): void {
    const lines = (this.#tail + bytes.toString('latin1')).split('\n')
    this.#tail = lines.pop() ?? ''
    for (const text of lines) this.#line(text)
  }

  end(): void {
    this.#line(this.#tail)
    this.#tail = ''
  }

  #line(text: string): void {
    this.#number++
    if (text.trim() === '') return
    const match = line.exec(text)
    if (!match)
      throw fault(
        'NOT_TEXT',
        `line ${this.#number} of the word list is not: number, word, word, count`,
      )
    const word = Buffer.from(match[1] ?? '', 'latin1')
    const count = Number(match[2])
    this.#bytes += word.length
    this.#sum += count
    if (this.#bytes > listBytesMax || this.#number > listLinesMax)
      throw fault('PIECE_TOO_LARGE', `the word list is over ${listLinesMax} lines or 64 MiB`)
    if (this.#sum > sumMax)
      throw fault('PIECE_TOO_LARGE', `the counts of the word list are over ${sumMax} in all`)
    const entries = this.byLetter[firstLetter(word, 0)]
    if (!entries || count === 0) return
    entries.words.push(word)
    entries.counts.push(count)
  }
}
