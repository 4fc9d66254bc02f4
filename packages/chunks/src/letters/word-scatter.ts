import { fault } from '../errors.ts'
import type { Groups } from '../groups.ts'
import { wordBytesMax } from '../options.ts'
import { firstLetter, isJoiner, isLetterByte, letterOfByte } from './alphabet-bytes.ts'
import { chunksOfLetters, type LetterSet } from './letter-sets.ts'

/** What is counted of one chunk. */
export interface LetterCounts {
  /** Words of a text; lines of a word list. */
  words: number
  /** Words of the result: as many as `words` for a text, the sum of the counts for a word list. */
  sum: number
  /** Occurrences in the result of a to z; é counts as a character of its own, not as e. */
  letters: number[]
}

/** Returns counts of nothing. */
export function noCounts(): LetterCounts {
  return { words: 0, sum: 0, letters: Array.from({ length: 26 }, () => 0) }
}

/** Adds `more` to `counts`. */
export function addCounts(counts: LetterCounts, more: LetterCounts): void {
  counts.words += more.words
  counts.sum += more.sum
  counts.letters = counts.letters.map((count, letter) => count + (more.letters[letter] ?? 0))
}

const outputBytes = 64 * 1_024
const space = 32

/** The growing end of one chunk. */
interface Output {
  readonly bytes: Uint8Array
  used: number
  words: number
  /** How often each byte was written. */
  readonly seen: Float64Array
}

/**
 * Deals the words of a text out to chunks by their first letter, in the order of the text, one space
 * between two. A word is a run of letters, with single apostrophes and hyphens between them.
 */
export class WordScatter {
  readonly #groups: Groups
  readonly #chunks: readonly (readonly number[])[]
  readonly #outputs: readonly Output[]
  /** The last bytes of a push, which may go on in the next one. */
  #tail: Buffer = Buffer.alloc(0)

  constructor(sets: readonly LetterSet[], groups: Groups) {
    this.#groups = groups
    this.#chunks = chunksOfLetters(sets)
    this.#outputs = sets.map(() => ({
      bytes: new Uint8Array(outputBytes),
      used: 0,
      words: 0,
      seen: new Float64Array(256),
    }))
  }

  /** Takes the text's next bytes. Throws PIECE_TOO_LARGE for a word over 64 KiB. */
  push(bytes: Buffer): void {
    const joined = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes])
    let end = joined.length
    while (end > 0 && isWordByte(joined[end - 1] as number)) end--
    if (joined.length - end > wordBytesMax)
      throw fault('PIECE_TOO_LARGE', `a word is over ${wordBytesMax} bytes: is this text?`)
    this.#scan(joined, end)
    this.#tail = Buffer.from(joined.subarray(end))
  }

  /** Ends the text; returns what was counted of each chunk. */
  end(): readonly LetterCounts[] {
    this.#scan(this.#tail, this.#tail.length)
    for (const group of this.#outputs.keys()) this.#flush(group)
    return this.#outputs.map(({ words, seen }) => {
      const letters = Array.from({ length: 26 }, () => 0)
      for (let byte = 0; byte < 128; byte++) {
        const letter = letterOfByte[byte] as number
        if (letter < 26) letters[letter] = (letters[letter] ?? 0) + (seen[byte] ?? 0)
      }
      return { words, sum: words, letters }
    })
  }

  #scan(bytes: Buffer, end: number): void {
    let at = 0
    while (at < end) {
      if (isLetterByte[bytes[at] as number] === 0) {
        at++
        continue
      }
      const wordEnd = endOfWord(bytes, at, end)
      const letter = firstLetter(bytes, at)
      if (letter < 26) {
        const chunks = this.#chunks[letter] as readonly number[]
        for (let index = 0; index < chunks.length; index++)
          this.#write(chunks[index] as number, bytes, at, wordEnd)
      }
      at = wordEnd
    }
  }

  #write(group: number, bytes: Buffer, start: number, end: number): void {
    const output = this.#outputs[group] as Output
    if (output.used + end - start + 1 > outputBytes) this.#flush(group)
    if (end - start + 1 > outputBytes)
      throw fault('PIECE_TOO_LARGE', `a word is over ${outputBytes - 1} bytes: is this text?`)
    const { bytes: target, seen } = output
    let used = output.used
    if (output.words > 0) target[used++] = space
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      target[used++] = byte
      seen[byte] = (seen[byte] as number) + 1
    }
    output.used = used
    output.words++
  }

  #flush(group: number): void {
    const output = this.#outputs[group] as Output
    if (output.used > 0) this.#groups.append(group, output.bytes, 0, output.used)
    output.used = 0
  }
}

function isWordByte(byte: number): boolean {
  return isLetterByte[byte] === 1 || isJoiner[byte] === 1
}

function endOfWord(bytes: Buffer, start: number, end: number): number {
  let at = start + 1
  for (;;) {
    while (at < end && isLetterByte[bytes[at] as number] === 1) at++
    const goesOn = at + 1 < end && isJoiner[bytes[at] as number] === 1
    if (!goesOn || isLetterByte[bytes[at + 1] as number] === 0) return at
    at += 2
  }
}
