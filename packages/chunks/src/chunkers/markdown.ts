import { lookAheadBytes } from '../text/boundaries.ts'
import type { Resume } from './chunker.ts'
import { endOfSentences, startOfNext, type TextSize } from './sentences.ts'
import { type FindCut, TextChunker } from './text.ts'

const [newline, hash, backtick, tilde, space] = [10, 35, 96, 126, 32]

/** How good a place is to cut: the best kind wins, then the last place. */
const ranks = { heading: 3, paragraph: 2, line: 1 } as const

/**
 * Cuts Markdown into pieces: at a heading where there is one within the size, else at an empty line,
 * else at a line's end, never within a fenced block that would fit; else as sentences.
 */
export function createMarkdownChunker(size: TextSize, resume: Resume): TextChunker {
  // Whether a piece begins within a fenced block: the mark of the fence, or nothing.
  let fence = resume.carry === '' ? 0 : Number(resume.carry)
  const seen: SeenLines = { count: 0, starts: [], fences: [] }
  const find: FindCut = (bytes, start, isEnd) => {
    const left = bytes.length - start
    if (left <= size.sizeBytes + (isEnd ? 0 : lookAheadBytes))
      return isEnd ? { end: bytes.length, next: bytes.length } : undefined
    seen.count = 0
    const best = bestLine(bytes, start, size, fence, seen)
    const end = best >= 0 ? best : endOfSentences(bytes, start, size)
    const next = startOfNext(bytes, start, end, size.overlapBytes)
    const known = lastUpTo(seen, next)
    fence = fenceAt(bytes, seen.starts[known] as number, next, seen.fences[known] as number)
    return { end, next }
  }
  return new TextChunker(find, resume, () => (fence === 0 ? '' : String(fence)))
}

/** The lines that were looked at, and the fence that is open before each: the same memory each time. */
interface SeenLines {
  count: number
  readonly starts: number[]
  readonly fences: number[]
}

/** Returns the number of the last line that begins up to `at`; the first one always does. */
function lastUpTo({ count, starts }: SeenLines, at: number): number {
  let line = count - 1
  while ((starts[line] as number) > at) line--
  return line
}

/** Returns the best line start in the piece's reach, or -1; notes the lines in `seen`. */
function bestLine(
  bytes: Buffer,
  start: number,
  size: TextSize,
  fenceAtStart: number,
  seen: SeenLines,
): number {
  const limit = start + size.sizeBytes
  const least = start + Math.max(size.overlapBytes, 1)
  let fence = fenceAtStart
  let best = -1
  let bestRank = 0
  let wasEmpty = false
  for (let line = start; line <= limit; ) {
    seen.starts[seen.count] = line
    seen.fences[seen.count] = fence
    seen.count++
    const rank = line > least && fence === 0 ? rankOf(bytes, line, wasEmpty) : -1
    if (rank >= bestRank) {
      best = line
      bestRank = rank
    }
    const end = bytes.indexOf(newline, line)
    if (end < 0) break
    wasEmpty = end === line || (end === line + 1 && bytes[line] === 13)
    fence = nextFence(bytes, line, fence)
    line = end + 1
  }
  return best
}

function rankOf(bytes: Buffer, line: number, isAfterEmpty: boolean): number {
  if (isHeading(bytes, line)) return ranks.heading
  return isAfterEmpty ? ranks.paragraph : ranks.line
}

/** Returns the fence that is open at `until`, which is followed from `start` on. */
function fenceAt(bytes: Buffer, start: number, until: number, fenceAtStart: number): number {
  let fence = fenceAtStart
  for (let line = start; line < until; ) {
    const end = bytes.indexOf(newline, line)
    if (end < 0 || end >= until) break
    fence = nextFence(bytes, line, fence)
    line = end + 1
  }
  return fence
}

/** Returns the open fence after the line at `line`: three marks open one, the same marks close it. */
function nextFence(bytes: Buffer, line: number, fence: number): number {
  let at = line
  while (at < line + 3 && bytes[at] === space) at++
  const mark = bytes[at]
  if (mark === undefined || (mark !== backtick && mark !== tilde)) return fence
  if (bytes[at + 1] !== mark || bytes[at + 2] !== mark) return fence
  if (fence === 0) return mark
  return fence === mark ? 0 : fence
}

function isHeading(bytes: Buffer, line: number): boolean {
  let at = line
  while (bytes[at] === hash) at++
  return at > line && at <= line + 6 && (bytes[at] === space || bytes[at] === newline)
}
