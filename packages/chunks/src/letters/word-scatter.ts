import { fault } from '../errors.ts'
import { wordBytesMax } from '../options.ts'
import type { Groups } from '../pieces/groups.ts'
import { WordCore } from '../wasm/word-core.ts'
import {
  byteKinds,
  firstLetter,
  joinerBytesAt,
  kindOfByte,
  letterBytesAt,
  letterOfByte,
  wideBytes,
} from './alphabet-bytes.ts'
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

/** So many bytes are scanned in JavaScript before the core is asked again. */
const slowBytes = 64

/** So much of a chunk is handed on at one time. */
const outputBytes = 32 * 1_024
const space = 32

const { none, letter: plainLetter, wide } = byteKinds

/** A constant of this file, which the compiler folds into the loops; an import it does not. */
const kinds = kindOfByte

/** Instead of the number of a chunk: the word goes to none, or to several. */
const [toNone, toSeveral] = [-1, -2]

/**
 * Deals the words of a text out to chunks by their first letter, in the order of the text, one space
 * between two. A word is a run of letters of any script, with single apostrophes and hyphens between
 * them. What is looked up for each word lies in flat arrays: that is half of the speed.
 */
export class WordScatter {
  readonly #groups: Groups
  /** For each letter, the chunks that have it. */
  readonly #chunks: readonly (readonly number[])[]
  /** For each letter from 1 on, and 256 for none: its one chunk, `toNone` or `toSeveral`. */
  readonly #chunkOf: Int16Array
  /** Deals out words of ASCII, and has the growing ends of all chunks in its memory. */
  readonly #core: WordCore
  /** Where each end goes on: every word has a space after it, and the last space is held back. */
  readonly #used: Int32Array
  /** How often each byte was handed on, of each chunk. */
  readonly #seen: readonly Float64Array[]
  /** The last bytes of a push, which may go on in the next one. */
  #tail: Buffer = Buffer.alloc(0)

  constructor(sets: readonly LetterSet[], groups: Groups) {
    this.#groups = groups
    this.#chunks = chunksOfLetters(sets)
    this.#chunkOf = Int16Array.from({ length: 257 }, (_, letter) => {
      const chunks = this.#chunks[letter - 1] ?? []
      return chunks.length > 1 ? toSeveral : (chunks[0] ?? toNone)
    })
    this.#core = new WordCore({
      chunkOf: (byte) => this.#chunkOf[byte & 0x1f] as number,
      ...{ chunks: sets.length, outputBytes, roomBytes: outputBytes + wordBytesMax + 2 },
    })
    this.#used = this.#core.used
    this.#seen = sets.map(() => new Float64Array(256))
  }

  /** Takes the text's next bytes, which are UTF-8. Throws PIECE_TOO_LARGE for a word over 64 KiB. */
  push(bytes: Buffer): void {
    const { length } = this.#tail
    const from = length === 0 ? 0 : startOfWords(bytes)
    if (length > 0) {
      const joined = Buffer.concat([this.#tail, bytes.subarray(0, from)])
      this.#scan(joined, 0, this.#hold(joined))
      if (from === bytes.length) return
      this.#scan(this.#tail, 0, this.#tail.length)
    }
    this.#scan(bytes, from, this.#hold(bytes))
  }

  /** Holds back the end of `bytes`, which may go on in the next push; returns where it begins. */
  #hold(bytes: Buffer): number {
    const end = endOfWords(bytes)
    if (bytes.length - end > 2 * wordBytesMax) throw tooLong()
    this.#tail = Buffer.from(bytes.subarray(end))
    return end
  }

  /** Ends the text; returns what was counted of each chunk. */
  end(): readonly LetterCounts[] {
    this.#scan(this.#tail, 0, this.#tail.length)
    for (const group of this.#seen.keys()) this.#flush(group)
    return this.#seen.map((seen, group) => {
      const words =
        this.#used[group] === this.#core.startOf(group) ? 0 : (seen[space] as number) + 1
      const letters = Array.from({ length: 26 }, () => 0)
      for (let byte = 0; byte < 128; byte++) {
        const letter = letterOfByte[byte] as number
        if (letter < 26) letters[letter] = (letters[letter] ?? 0) + (seen[byte] ?? 0)
      }
      return { words, sum: words, letters }
    })
  }

  #scan(bytes: Buffer, from: number, end: number): void {
    for (let at = from; at < end; ) {
      if (end - at > slowBytes) at = this.#core.scatter(bytes, at, end, this.#flushFull)
      // A word that is not all ASCII, or goes to several chunks, is seldom alone.
      at = this.#scanSlowly(bytes, at, Math.min(end, at + slowBytes), end)
    }
  }

  readonly #flushFull = (group: number) => this.#flush(group)

  /** Deals out the words that begin before `until`, of any script; returns where it stopped. */
  #scanSlowly(bytes: Buffer, from: number, until: number, end: number): number {
    const [chunkOf, usedOf, { memory }] = [this.#chunkOf, this.#used, this.#core]
    let at = from
    while (at < until) {
      const byte = bytes[at] as number
      if (kinds[byte] !== plainLetter) {
        const skipped = skipAt(bytes, at, end)
        at += skipped
        if (skipped > 0) continue
      }
      const letter = byte < 0x80 ? byte & 0x1f : firstLetter(bytes, at) + 1
      const chunk = chunkOf[letter] as number
      if (chunk < 0) {
        at = chunk === toNone ? endOfWord(bytes, at, end) : this.#deal(letter - 1, bytes, at, end)
        continue
      }
      const used = usedOf[chunk] as number
      const next = copyWord(bytes, at, end, memory, used)
      const sum = used + next - at + 1
      usedOf[chunk] = sum
      if (sum > this.#core.startOf(chunk) + outputBytes) this.#flush(chunk)
      at = next
    }
    return at
  }

  /** Adds the word at `start` to every chunk of its letter; returns where it ends. */
  #deal(letter: number, bytes: Buffer, start: number, end: number): number {
    let next = start
    for (const chunk of this.#chunks[letter] ?? []) {
      const used = this.#used[chunk] as number
      next = copyWord(bytes, start, end, this.#core.memory, used)
      this.#used[chunk] = used + next - start + 1
      if (used > this.#core.startOf(chunk) + outputBytes) this.#flush(chunk)
    }
    return next
  }

  /** Hands on what a chunk has, but for its last space. */
  #flush(group: number): void {
    const [{ memory }, start] = [this.#core, this.#core.startOf(group)]
    const end = (this.#used[group] as number) - 1
    if (end < start) return
    this.#groups.append(group, memory, start, end)
    countBytes(memory, start, end, this.#seen[group] as Float64Array)
    memory[start] = space
    this.#used[group] = start + 1
  }
}

/** Returns how many bytes at `at` are no letter; 0 for a letter that is not ASCII. */
function skipAt(bytes: Buffer, at: number, end: number): number {
  const byte = bytes[at] as number
  if (kinds[byte] !== wide) return 1
  return letterBytesAt(bytes, at, end) > 0 ? 0 : wideBytes(byte)
}

/** Copies the word at `start`, and a space, to `target` from `used` on; returns where the word ends. */
function copyWord(
  bytes: Buffer,
  start: number,
  end: number,
  target: Uint8Array,
  used: number,
): number {
  const shift = used - start
  const limit = Math.min(end, start + wordBytesMax)
  let at = start
  for (;;) {
    for (; at < limit; at++) {
      const byte = bytes[at] as number
      if (kinds[byte] !== plainLetter) break
      target[at + shift] = byte
    }
    const next = at + goesOnAt(bytes, at, end)
    if (next === at) break
    if (next > limit) throw tooLong()
    for (; at < next; at++) target[at + shift] = bytes[at] as number
  }
  target[at + shift] = space
  return at
}

function tooLong() {
  return fault('PIECE_TOO_LARGE', `a word is over ${wordBytesMax} bytes: is this text?`)
}

/** Returns how many bytes go on with the word that reached `at`: a letter, or a joiner and a letter. */
function goesOnAt(bytes: Buffer, at: number, end: number): number {
  if (at >= end) return 0
  const kind = kinds[bytes[at] as number]
  if (kind === none) return 0
  // It's and well-being: the usual case is worth the few lines.
  if (kind === byteKinds.joiner && at + 1 < end && kinds[bytes[at + 1] as number] === plainLetter)
    return 2
  const letter = letterBytesAt(bytes, at, end)
  if (letter > 0) return letter
  const joiner = joinerBytesAt(bytes, at, end)
  const next = joiner === 0 ? 0 : letterBytesAt(bytes, at + joiner, end)
  return next === 0 ? 0 : joiner + next
}

function endOfWord(bytes: Buffer, start: number, end: number): number {
  let at = start
  for (;;) {
    while (at < end && kinds[bytes[at] as number] === plainLetter) at++
    const more = goesOnAt(bytes, at, end)
    if (more === 0) return at
    at += more
  }
}

/** Returns the first place in `bytes` that is within no word for sure. */
function startOfWords(bytes: Buffer): number {
  let at = 0
  while (at < bytes.length && kinds[bytes[at] as number] !== none) at++
  return at
}

/** Returns a place near the end of `bytes` that is within no word. */
function endOfWords(bytes: Buffer): number {
  let end = bytes.length
  while (end > 0 && kinds[bytes[end - 1] as number] !== none) end--
  // In scripts without ASCII white space, the marks between their words are looked for.
  const least = Math.max(end, bytes.length - wordBytesMax)
  for (let at = bytes.length - 4; at > least; at--) {
    const isStart = ((bytes[at] as number) & 0xc0) !== 0x80
    if (!isStart || letterBytesAt(bytes, at, bytes.length) > 0) continue
    if (joinerBytesAt(bytes, at, bytes.length) === 0) return at
  }
  return end
}

/** Adds to `seen` how often each byte occurs; four counts at once wait less for each other. */
function countBytes(bytes: Uint8Array, start: number, end: number, seen: Float64Array): void {
  counts.fill(0)
  const even = end - ((end - start) % 4)
  for (let at = start; at < even; at += 4) {
    const a = bytes[at] as number
    const b = 256 + (bytes[at + 1] as number)
    const c = 512 + (bytes[at + 2] as number)
    const d = 768 + (bytes[at + 3] as number)
    counts[a] = (counts[a] as number) + 1
    counts[b] = (counts[b] as number) + 1
    counts[c] = (counts[c] as number) + 1
    counts[d] = (counts[d] as number) + 1
  }
  for (let at = even; at < end; at++)
    counts[bytes[at] as number] = (counts[bytes[at] as number] as number) + 1
  for (let byte = 0; byte < 1_024; byte++)
    seen[byte % 256] = (seen[byte % 256] as number) + (counts[byte] as number)
}

const counts = new Uint32Array(1_024)
