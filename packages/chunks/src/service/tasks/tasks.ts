import { crc32 } from 'node:zlib'
import type { Clock } from '@drover/kernel'
import { fault } from '../../errors.ts'
import { spellWords } from '../../letters/draw-words.ts'
import { WordListReader } from '../../letters/word-list.ts'
import { type LetterCounts, WordScatter } from '../../letters/word-scatter.ts'
import { PieceList } from '../../pieces/piece-list.ts'
import { putSum } from '../../pieces/sum-piece.ts'
import { countSet, drawLetter } from '../../sort-file.ts'
import { TextCheck } from '../../text/utf8-check.ts'
import { createChunker, type Plan } from '../../way/plan.ts'
import type { Way } from '../../way/way.ts'
import { decodeFrame, encodeFrame } from './frame.ts'

/** A piece of work for any backend. Doing it twice gives the same answer and changes nothing. */
export type Task =
  /** Finds the pieces of a stretch that begins at a piece's start; `before` bytes of context lead. */
  | {
      readonly kind: 'scan'
      readonly plan: Omit<Plan, 'wrap'>
      readonly startAt: number
      readonly before: number
      readonly carry: string
      readonly isLast: boolean
    }
  /** Works out the sums of pieces that lie one after the other. */
  | { readonly kind: 'seal'; readonly lengths: readonly number[] }
  /** Deals the words of a stretch out to letter chunks; no word crosses its ends. */
  | { readonly kind: 'scatter'; readonly way: Way & { by: 'letters' } }
  /** Draws the words of one letter from a whole word list. */
  | { readonly kind: 'draw'; readonly letter: string; readonly seed: number }

export interface ScanAnswer {
  readonly count: number
  readonly resumeAt: number
  readonly carry: string
}

export interface ScatterAnswer {
  readonly lengths: readonly number[]
  readonly counts: readonly LetterCounts[]
}

export interface DrawAnswer {
  readonly counts: LetterCounts
}

/** Does the task in a frame; returns the frame of its answer. */
export async function doTask(frame: Buffer, clock: Clock): Promise<Buffer> {
  const { head, payload } = decodeFrame(frame)
  const task = head as unknown as Task
  switch (task.kind) {
    case 'scan':
      return scan(task, payload, clock)
    case 'seal':
      return seal(task.lengths, payload)
    case 'scatter':
      return scatter(task.way, payload)
    case 'draw':
      return draw(task.letter, task.seed, payload)
    default:
      throw fault('TASK_FAILED', `no such task: ${JSON.stringify(task satisfies never)}`)
  }
}

async function scan(task: Task & { kind: 'scan' }, payload: Buffer, clock: Clock): Promise<Buffer> {
  const noBytes = Buffer.alloc(0)
  const plan = { ...task.plan, wrap: { before: noBytes, beforeFirst: false, after: noBytes } }
  const before = payload.subarray(0, task.before)
  const chunker = createChunker(plan, { startAt: task.startAt, carry: task.carry, before }, clock)
  const pieces = new PieceList()
  try {
    await chunker.push(payload.subarray(task.before), pieces)
    if (task.isLast) await chunker.end(pieces)
  } finally {
    await chunker.close?.()
  }
  const { count, starts, ends } = pieces
  const answer = { count, resumeAt: chunker.resumeAt, carry: chunker.carry ?? '' }
  return encodeFrame(answer satisfies ScanAnswer, [
    Buffer.from(starts.buffer, 0, count * 8),
    Buffer.from(ends.buffer, 0, count * 8),
  ])
}

function seal(lengths: readonly number[], payload: Buffer): Buffer {
  const sums = Buffer.alloc(lengths.length * 36)
  let at = 0
  for (const [index, length] of lengths.entries()) {
    const piece = payload.subarray(at, at + length)
    sums.writeUInt32LE(crc32(piece), index * 36)
    putSum(piece, sums, index * 36 + 4)
    at += length
  }
  if (at !== payload.length)
    throw fault('TASK_FAILED', 'the lengths of a task do not fit its bytes')
  return encodeFrame({}, [sums])
}

function scatter(way: Way & { by: 'letters' }, payload: Buffer): Buffer {
  const texts: Buffer[][] = way.sets.map(() => [])
  const words = new WordScatter(way.sets, {
    append: (group, bytes, start, end) =>
      texts[group]?.push(Buffer.from(bytes.subarray(start, end))),
  })
  const check = new TextCheck()
  check.push(payload)
  check.end()
  words.push(payload)
  const counts = words.end()
  const lengths = texts.map((parts) => parts.reduce((sum, { length }) => sum + length, 0))
  return encodeFrame({ lengths, counts } satisfies ScatterAnswer, texts.flat())
}

function draw(letter: string, seed: number, payload: Buffer): Buffer {
  const reader = new WordListReader()
  reader.push(payload)
  reader.end()
  const text = Array.from(spellWords(drawLetter(reader.byLetter, letter, seed)), (block) =>
    Buffer.from(block),
  )
  const counts = countSet({ name: letter, letters: letter }, reader.byLetter)
  return encodeFrame({ counts } satisfies DrawAnswer, text)
}
