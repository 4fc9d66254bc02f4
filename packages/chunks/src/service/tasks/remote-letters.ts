import { fault } from '../../errors.ts'
import { inOrder } from '../../in-order.ts'
import { readAt } from '../../join/entries.ts'
import type { WordStream } from '../../letters/draw-words.ts'
import { alphabet } from '../../letters/letter-sets.ts'
import { type WordEntries, WordListReader } from '../../letters/word-list.ts'
import { addCounts, type LetterCounts, noCounts } from '../../letters/word-scatter.ts'
import { segmentBytes, wordBytesMax } from '../../options.ts'
import type { SpooledGroups } from '../../pieces/groups.ts'
import { countSet, drawLetter, mixLetters } from '../../sort-file.ts'
import { readSegments, type Source } from '../../source/file-source.ts'
import { isSpace } from '../../text/boundaries.ts'
import type { Way } from '../../way/way.ts'
import type { BufferPool } from '../buffer-pool.ts'
import type { RemoteRun } from './remote-work.ts'
import type { DrawAnswer, ScatterAnswer } from './tasks.ts'

type Letters = Way & { by: 'letters' }

/** The largest word list that is sent to backends, and the most words that they draw of it, in bytes. */
const drawnBytesMax = 16 * 2 ** 20

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
  const { from, tasks, keeper } = run
  const totals = from?.groups?.map(({ counts }) => counts) ?? way.sets.map(noCounts)
  if (from?.groups) await groups.resume(from.groups.map(({ bytes }) => bytes))
  const task = { kind: 'scatter', way } as const
  const work = async ({ whole, bytes }: Stretch) => {
    const answer = await tasks.run(task, [bytes], run.signal)
    tasks.pool.give(whole)
    return { taken: bytes.length, ...answer }
  }
  let done = from?.resumeAt ?? 0
  const all = stretches(source, done, tasks.window, tasks.pool)
  for await (const { head, payload, taken, release } of inOrder(all, tasks.window, work)) {
    await run.spend(payload.length + way.sets.length)
    await addWords(groups, totals, head as unknown as ScatterAnswer, payload)
    release()
    done += taken
    run.advance(done)
    await keeper.keep(async () => {
      const lengths = await groups.sync()
      const kept = totals.map((counts, index) => ({ bytes: lengths[index] ?? 0, counts }))
      return { doneBytes: done, pieces: 0, resumeAt: done, carry: '', groups: kept }
    })
  }
  return totals
}

const space = Buffer.from(' ')

/** Adds the words of one answer to their groups, and their counts to the totals. */
async function addWords(
  groups: SpooledGroups,
  totals: readonly LetterCounts[],
  { lengths, counts }: ScatterAnswer,
  payload: Buffer,
): Promise<void> {
  let at = 0
  for (const [group, length] of lengths.entries()) {
    const [total, count] = [totals[group], counts[group]]
    if (!total || !count) throw fault('TASK_FAILED', 'a backend dealt out other chunks')
    const words = payload.subarray(at, at + length)
    if (length > 0) await groups.write(group, total.words > 0 ? [space, words] : [words])
    at += length
    addCounts(total, count)
  }
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
  startAt: number,
  window: number,
  pool: BufferPool,
): AsyncGenerator<Stretch> {
  const share = Math.ceil(source.bytes / (2 * window))
  const size = Math.min(segmentBytes, Math.max(stretchBytesMin, share))
  for (let at = startAt; at < source.bytes; ) {
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
  const { byLetter } = await readWordList(source)
  const streams = isSmall(source, way, byLetter)
    ? await drawLetters(await readAt(source, 0, source.bytes), way, run)
    : undefined
  const streamOf = (letter: string) => {
    const text = streams?.get(letter)
    return text ? new SpelledWords(text) : drawLetter(byLetter, letter, way.seed)
  }
  for (const [index, set] of way.sets.entries()) {
    const words = mixLetters(set, way.seed, [...set.letters].map(streamOf))
    for (const block of words) {
      run.signal.throwIfAborted()
      await run.spend(block.length)
      groups.append(index, block, 0, block.length)
      await groups.drain()
    }
  }
  return way.sets.map((set) => countSet(set, byLetter))
}

async function readWordList(source: Source): Promise<WordListReader> {
  const reader = new WordListReader()
  for await (const { bytes } of readSegments(source)) reader.push(bytes)
  reader.end()
  return reader
}

/** Whether backends may draw: the list goes to each of them, and all they draw is held in memory. */
function isSmall(source: Source, { sets }: Letters, byLetter: readonly WordEntries[]): boolean {
  let bytes = 0
  for (const letter of new Set(sets.flatMap(({ letters }) => [...letters]))) {
    const { words, counts } = byLetter[alphabet.indexOf(letter)] ?? { words: [], counts: [] }
    for (const [index, word] of words.entries()) bytes += (word.length + 1) * (counts[index] ?? 0)
  }
  return source.bytes <= drawnBytesMax && bytes <= drawnBytesMax
}

/** Has the words of each letter drawn by a backend. */
async function drawLetters(
  list: Buffer,
  way: Letters,
  run: RemoteRun,
): Promise<ReadonlyMap<string, Drawn>> {
  const letters = [...new Set(way.sets.flatMap((set) => [...set.letters]))].sort()
  const drawn = new Map<string, Drawn>()
  const work = async (letter: string) => {
    const task = { kind: 'draw', letter, seed: way.seed } as const
    // The words are kept until they are mixed, so their memory is not given back.
    const { head, payload } = await run.tasks.run(task, [list], run.signal)
    return { letter, text: payload, words: (head as unknown as DrawAnswer).counts.sum }
  }
  for await (const { letter, ...rest } of inOrder(each(letters), run.tasks.window, work)) {
    drawn.set(letter, rest)
    run.advance(Math.floor((list.length * drawn.size) / letters.length))
  }
  return drawn
}

/** The words of a letter in their random order, one space between two, and how many they are. */
interface Drawn {
  readonly text: Buffer
  readonly words: number
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

/** Words of a text with one space between two, read again one by one. */
class SpelledWords implements WordStream {
  remaining: number
  readonly #text: Buffer
  #at = 0

  constructor({ text, words }: Drawn) {
    this.#text = text
    this.remaining = words
  }

  next(): Buffer {
    const end = this.#text.indexOf(32, this.#at)
    const word = this.#text.subarray(this.#at, end < 0 ? this.#text.length : end)
    this.#at = end < 0 ? this.#text.length : end + 1
    this.remaining--
    return word
  }
}
