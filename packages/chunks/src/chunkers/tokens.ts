import { borderFrom, isBorder, isSpace, lookAheadBytes, safeCut } from '../text/boundaries.ts'
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
    if (!isEnd && at + 2 * lookAheadBytes >= bytes.length) return undefined
    const end = safeCut(bytes, at, start + 1, start)
    if (end === bytes.length) return { end, next: end }
    const overlap = Math.min(size.overlapTokens, size.sizeTokens - tokensAfter(bytes, at, end))
    return { end, next: nextStart(bytes, end, sum, overlap) }
  }

  /** What the next piece must hold beside its overlap, so that it goes further than this one. */
  const tokensAfter = (bytes: Buffer, at: number, end: number): number => {
    const least = borderFrom(bytes, Math.max(word.end, end + 1), end)
    let tokens = 0
    for (let from = at; from < least; ) {
      readWord(bytes, from, word)
      if (kinds[bytes[from] as number] !== 0) tokens += word.tokens
      from = word.end
    }
    return tokens
  }

  /** The first word from which on there are no more than `overlap` tokens to the end. */
  const nextStart = (bytes: Buffer, end: number, sum: number, overlap: number): number => {
    const [start = end] = starts
    let index = starts.length
    while (index > 1 && sum - (sums[index - 1] as number) <= overlap) index--
    while (index < starts.length && !isBorder(bytes, starts[index] as number, start)) index++
    return Math.min(starts[index] ?? end, end)
  }
  return new TextChunker(find, resume)
}
