import { isSpace, safeCut } from '../text/boundaries.ts'
import type { Resume } from './chunker.ts'
import { type FindCut, TextChunker } from './text.ts'

/** How large pieces are, in estimated tokens. */
export interface TokenSize {
  readonly sizeTokens: number
  /** At most half of the size. */
  readonly overlapTokens: number
}

/** Letters of one token, about what models' vocabularies have for English. */
const lettersPerToken = 6

/** The most bytes that count as one word; a longer run is taken for several. */
const wordBytesMax = 48

/** 0 white space, 1 letters, digits and what belongs to other scripts, 2 punctuation, 3 ideographs. */
const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (isSpace(byte)) return 0
  if (/[A-Za-z0-9]/.test(String.fromCharCode(byte))) return 1
  if (byte < 0x80) return 2
  return byte >= 0xe3 && byte <= 0xed ? 3 : 1
})

/** Bytes in the character that begins with an ideograph's first byte. */
const ideographBytes = 3

/** A stretch that is never divided: where it ends, and how many tokens it is taken for. */
interface Word {
  end: number
  tokens: number
}

/** Reads the word at `at` into `word`: a run of letters, one mark, or one ideograph. */
function readWord(bytes: Buffer, at: number, word: Word): void {
  const kind = kinds[bytes[at] as number] as number
  if (kind !== 1) {
    word.end = Math.min(bytes.length, at + (kind === 3 ? ideographBytes : 1))
    word.tokens = 1
    return
  }
  const limit = Math.min(bytes.length, at + wordBytesMax)
  let end = at + 1
  while (end < limit && kinds[bytes[end] as number] === 1) end++
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end++
  word.end = end
  word.tokens = Math.ceil((end - at) / lettersPerToken)
}

/**
 * Cuts text into pieces of at most `sizeTokens` estimated tokens. No vocabulary is used: a word is
 * taken for one token per six letters, a mark and an ideograph for one each, white space for none.
 * White space stays with the word before it.
 */
export function createTokensChunker(size: TokenSize, resume: Resume): TextChunker {
  const starts: number[] = []
  const sums: number[] = []
  const word: Word = { end: 0, tokens: 0 }

  const find: FindCut = (bytes, start, isEnd) => {
    starts.length = 0
    sums.length = 0
    let sum = 0
    let at = start
    while (at < bytes.length) {
      if (kinds[bytes[at] as number] === 0) {
        at++
        continue
      }
      readWord(bytes, at, word)
      if (sum + word.tokens > size.sizeTokens && at > start) break
      starts.push(at)
      sums.push(sum)
      sum += word.tokens
      at = word.end
    }
    // A word or cluster at the very end may go on in the bytes that follow.
    if (!isEnd && at + 256 >= bytes.length) return undefined
    if (at >= bytes.length) return { end: bytes.length, next: bytes.length }
    const end = safeCut(bytes, at, start + 1)
    return { end, next: nextStart(bytes, start, end, sum) }
  }

  /** The first word from which on there are no more than `overlapTokens` to the end. */
  const nextStart = (bytes: Buffer, start: number, end: number, sum: number): number => {
    if (size.overlapTokens === 0) return end
    let index = starts.length
    while (index > 0 && sum - (sums[index - 1] as number) <= size.overlapTokens) index--
    const at = starts[index] ?? end
    const safe = at > start ? safeCut(bytes, at, start + 1) : end
    return Math.min(safe, end)
  }
  return new TextChunker(find, resume)
}
