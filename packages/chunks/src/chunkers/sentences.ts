import {
  firstStart,
  isSentenceStart,
  isWordStart,
  safeCut,
  sentenceStartBefore,
  wordStartBefore,
} from '../text/boundaries.ts'
import type { Resume } from './chunker.ts'
import { type FindCut, TextChunker } from './text.ts'

/** How large pieces of text are, in bytes of UTF-8. */
export interface TextSize {
  readonly sizeBytes: number
  /** How much of a piece the next one repeats, at most; at most half of the size. */
  readonly overlapBytes: number
}

/** How many bytes beyond a piece are looked at, so that a cluster of characters is seen whole. */
export const lookAheadBytes = 256

/** Returns where the piece from `start` ends: at a sentence, else a word, else between characters. */
export function endOfSentences(bytes: Buffer, start: number, size: TextSize): number {
  const limit = start + size.sizeBytes
  const least = start + size.overlapBytes
  const sentence = sentenceStartBefore(bytes, limit, least)
  if (sentence >= 0) return sentence
  const word = wordStartBefore(bytes, limit, least)
  return safeCut(bytes, word >= 0 ? word : limit, least + 1)
}

/** Returns where the piece after one that ends at `end` starts: at a sentence, else a word. */
export function startOfNext(bytes: Buffer, start: number, end: number, overlap: number): number {
  if (overlap === 0) return end
  const from = Math.max(start + 1, end - overlap)
  const sentence = firstStart(bytes, from, end, isSentenceStart)
  const word = sentence >= 0 ? sentence : firstStart(bytes, from, end, isWordStart)
  const safe = word >= 0 ? safeCut(bytes, word, word) : safeCut(bytes, from, start + 1)
  return Math.min(safe, end)
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
