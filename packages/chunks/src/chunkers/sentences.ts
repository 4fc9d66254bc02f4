import {
  borderFrom,
  firstWordStart,
  lastWordStart,
  lookAheadBytes,
  safeCut,
} from '../text/boundaries.ts'
import { firstSentenceStart, lastSentenceStart } from '../text/sentence-starts.ts'
import type { Resume } from './chunker.ts'
import { type FindCut, TextChunker } from './text.ts'

/** How large pieces of text are, in bytes of UTF-8. */
export interface TextSize {
  readonly sizeBytes: number
  /** How much of a piece the next one repeats, at most; at most half of the size. */
  readonly overlapBytes: number
}

/** Returns where the piece from `start` ends: at a sentence, else a word, else between characters. */
export function endOfSentences(bytes: Buffer, start: number, size: TextSize): number {
  const limit = start + size.sizeBytes
  // What the piece before may have repeated is not all that there is in this one.
  const least = start + size.overlapBytes
  const sentence = lastSentenceStart(bytes, limit, least, start)
  if (sentence >= 0) return sentence
  const word = lastWordStart(bytes, limit, least, start)
  return word >= 0 ? word : safeCut(bytes, limit, least + 1, start)
}

/** Returns where the piece after one that ends at `end` starts: at a sentence, else a word. */
export function startOfNext(bytes: Buffer, start: number, end: number, overlap: number): number {
  if (overlap === 0) return end
  const from = Math.max(start + 1, end - overlap)
  const sentence = firstSentenceStart(bytes, from, end, start)
  if (sentence >= 0) return sentence
  const word = firstWordStart(bytes, from, end, start)
  return word >= 0 ? word : Math.min(end, borderFrom(bytes, from, start))
}

/** Cuts text into pieces of whole sentences, as many as fit; see `isSentenceStart`. */
export function createSentencesChunker(size: TextSize, resume: Resume): TextChunker {
  const find: FindCut = (bytes, start, isEnd) => {
    const left = bytes.length - start
    if (left <= size.sizeBytes + (isEnd ? 0 : lookAheadBytes))
      return isEnd ? { end: bytes.length, next: bytes.length } : undefined
    const end = endOfSentences(bytes, start, size)
    return { end, next: startOfNext(bytes, start, end, size.overlapBytes) }
  }
  return new TextChunker(find, resume)
}
