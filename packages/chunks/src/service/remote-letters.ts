import { fault } from '../errors.ts'
import type { Source } from '../file-source.ts'
import type { SpooledGroups } from '../groups.ts'
import { readAt } from '../join/entries.ts'
import type { WordStream } from '../letters/draw-words.ts'
import { addCounts, type LetterCounts, noCounts } from '../letters/word-scatter.ts'
import { segmentBytes, wordBytesMax } from '../options.ts'
import { mixLetters } from '../sort-file.ts'
import { isSpace } from '../text/boundaries.ts'
import type { Way } from '../way.ts'
import type { BufferPool } from './buffer-pool.ts'
import { inOrder } from './in-order.ts'
import type { RemoteRun } from './remote-work.ts'
import type { DrawAnswer, ScatterAnswer } from './tasks.ts'

type Letters = Way & { by: 'letters' }

/** The largest word list that is sent to backends, in bytes. */
const listBytesMax = 64 * 2 ** 20

/** Makes letter chunks on backends: a text by stretches, a word list by letters. */
export function sortRemotely(
  source: Source,
  way: Letters,
  groups: SpooledGroups,
  run: RemoteRun,
): Promise<readonly LetterCounts[]> {
  return way.list === 'yes'
    ? drawRemotely(source, way, groups, run)
    : scatterRemotely(source, way, groups, run)
}

async function scatterRemotely(
  source: Source,
  way: Letters,
  groups: SpooledGroups,
  run: RemoteRun,
): Promise<readonly LetterCounts[]> {
  const totals = way.sets.map(noCounts)
  const isStarted = way.sets.map(() => false)
  const space = Buffer.from(' ')
  const task = { kind: 'scatter', way } as const
  const { pool } = run.tasks
  const work = async ({ whole, bytes }: Stretch) => {
    const answer = await run.tasks.run(task, [bytes], run.signal)
    pool.give(whole)
    return { taken: bytes.length, ...answer }
  }
  let done = 0
  for await (const { head, payload, taken, release } of inOrder(
    stretches(source, run.tasks.window, pool),
    run.tasks.window,
    work,
  )) {
    const { lengths, counts } = head as unknown as ScatterAnswer
    let at = 0
    for (const [group, length] of lengths.entries()) {
      if (length > 0 && isStarted[group]) groups.append(group, space, 0, 1)
      groups.append(group, payload, at, at + length)
      isStarted[group] ||= length > 0
      at += length
      const [total, count] = [totals[group], counts[group]]
      if (total && count) addCounts(total, count)
    }
    release()
    await groups.drain()
    done += taken
    run.advance(done)
  }
  return totals
}

/** A small file is divided so that every place in the window gets a stretch of it. */
const stretchBytesMin = 16 * 1_024

/** A part of the text, in a buffer that goes back to the pool. */
interface Stretch {
  readonly whole: Buffer
  readonly bytes: Buffer
}

/** Yields the text in stretches that end at white space. */
async function* stretches(
  source: Source,
  window: number,
  pool: BufferPool,
): AsyncGenerator<Stretch> {
  const share = Math.ceil(source.bytes / (2 * window))
  const size = Math.min(segmentBytes, Math.max(stretchBytesMin, share))
  for (let at = 0; at < source.bytes; ) {
    const whole = pool.take(size + wordBytesMax)
    const count = await source.read(whole.subarray(0, size + wordBytesMax), at)
    const bytes = whole.subarray(0, count)
    let end = Math.min(size, bytes.length)
    while (end < bytes.length && !isSpace(bytes[end] as number)) end++
    if (end === bytes.length && at + end < source.bytes)
      throw fault('PIECE_TOO_LARGE', `a word at byte ${at + size} is over ${wordBytesMax} bytes`)
    yield { whole, bytes: bytes.subarray(0, end) }
    at += end
  }
}

async function drawRemotely(
  source: Source,
  way: Letters,
  groups: SpooledGroups,
  run: RemoteRun,
): Promise<readonly LetterCounts[]> {
  if (source.bytes > listBytesMax)
    throw fault('PIECE_TOO_LARGE', `a word list is at most ${listBytesMax} bytes here`)
  const list = await readAt(source, 0, source.bytes)
  const letters = [...new Set(way.sets.flatMap((set) => [...set.letters]))].sort()
  const drawn = new Map<string, { text: Buffer; counts: LetterCounts }>()
  const work = async (letter: string) => {
    const task = { kind: 'draw', letter, seed: way.seed } as const
    // The words are kept until they are mixed, so their memory is not given back.
    const { head, payload } = await run.tasks.run(task, [list], run.signal)
    return { letter, text: payload, ...(head as unknown as DrawAnswer) }
  }
  for await (const { letter, ...rest } of inOrder(each(letters), run.tasks.window, work)) {
    drawn.set(letter, rest)
    run.advance(Math.floor((source.bytes * drawn.size) / letters.length))
  }
  const of = (letter: string) => drawn.get(letter) ?? { text: Buffer.alloc(0), counts: noCounts() }
  for (const [index, set] of way.sets.entries()) {
    const streams = [...set.letters].map((letter) => new SpelledWords(of(letter)))
    for (const block of mixLetters(set, way.seed, streams)) {
      groups.append(index, block, 0, block.length)
      await groups.drain()
    }
  }
  return way.sets.map(({ letters: own }) => {
    const counts = noCounts()
    for (const letter of own) addCounts(counts, of(letter).counts)
    return counts
  })
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

/** Words of a text with one space between two, read again one by one. */
class SpelledWords implements WordStream {
  remaining: number
  readonly #text: Buffer
  #at = 0

  constructor({ text, counts }: { readonly text: Buffer; readonly counts: LetterCounts }) {
    this.#text = text
    this.remaining = counts.sum
  }

  next(): Buffer {
    const end = this.#text.indexOf(32, this.#at)
    const word = this.#text.subarray(this.#at, end < 0 ? this.#text.length : end)
    this.#at = end < 0 ? this.#text.length : end + 1
    this.remaining--
    return word
  }
}
