import { RoundRobin } from './chunkers/round-robin.ts'
import { letterOfByte } from './letters/alphabet-bytes.ts'
import { randomFor, spellWords, WordDraw, WordMix, type WordStream } from './letters/draw-words.ts'
import { alphabet, type LetterSet } from './letters/letter-sets.ts'
import { type WordEntries, WordListReader } from './letters/word-list.ts'
import { type LetterCounts, noCounts, WordScatter } from './letters/word-scatter.ts'
import type { SpooledGroups } from './pieces/groups.ts'
import { readSegments, type Source } from './source/file-source.ts'
import { TextCheck } from './text/utf8-check.ts'
import type { Plan } from './way/plan.ts'
import type { Way } from './way/way.ts'

/** Told how many bytes of the file are done. */
export type Advance = (bytes: number) => void

/** Returns how many groups a plan makes. */
export function groupsOf({ way }: Plan): number {
  if (way.by === 'letters') return way.sets.length
  if (way.by === 'parts') return way.count
  throw new TypeError(`${way.by} makes no groups`)
}

/** Returns what the groups of a plan are called, where they have names. */
export function labelsOf({ way }: Plan): readonly string[] | undefined {
  return way.by === 'letters' ? way.sets.map(({ name }) => name) : undefined
}

/** Deals a file out to groups; returns what was counted of each, where anything is counted. */
export async function sortFile(
  source: Source,
  { way }: Plan,
  groups: SpooledGroups,
  advance: Advance,
  signal?: AbortSignal,
): Promise<readonly LetterCounts[] | undefined> {
  if (way.by === 'letters' && way.list === 'yes') {
    const reader = new WordListReader()
    await feed(source, (bytes) => reader.push(bytes), groups, advance, signal)
    reader.end()
    return drawLists(reader.byLetter, way, groups)
  }
  if (way.by === 'letters') {
    const [scatter, check] = [new WordScatter(way.sets, groups), new TextCheck()]
    const push = (bytes: Buffer) => {
      check.push(bytes)
      scatter.push(bytes)
    }
    await feed(source, push, groups, advance, signal)
    check.end()
    return scatter.end()
  }
  if (way.by !== 'parts') throw new TypeError(`${way.by} is not dealt out`)
  const dealer = new RoundRobin(way.count, way.separator)
  await feed(source, (bytes) => dealer.push(bytes, groups), groups, advance, signal)
  return undefined
}

async function feed(
  source: Source,
  push: (bytes: Buffer) => void,
  groups: SpooledGroups,
  advance: Advance,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const { at, bytes } of readSegments(source, signal)) {
    push(bytes)
    await groups.drain()
    advance(at + bytes.length)
  }
}

/** Writes each chunk of a word list in random order: its letters are drawn apart, then mixed. */
async function drawLists(
  byLetter: readonly WordEntries[],
  { sets, seed }: Way & { by: 'letters' },
  groups: SpooledGroups,
): Promise<readonly LetterCounts[]> {
  const streamOf = (letter: string) => drawLetter(byLetter, letter, seed)
  for (const [index, set] of sets.entries()) {
    for (const block of mixLetters(set, seed, [...set.letters].map(streamOf))) {
      groups.append(index, block, 0, block.length)
      await groups.drain()
    }
  }
  return sets.map((set) => countSet(set, byLetter))
}

/** Returns the words of one letter in their random order, which depends on the seed and the letter only. */
export function drawLetter(
  byLetter: readonly WordEntries[],
  letter: string,
  seed: number,
): WordDraw {
  const entries = byLetter[alphabet.indexOf(letter)] ?? { words: [], counts: [] }
  return new WordDraw(entries, randomFor(seed, letter))
}

/** Yields the text of a chunk made of its letters' streams. */
export function mixLetters(
  { letters }: LetterSet,
  seed: number,
  streams: readonly WordStream[],
): Generator<Buffer> {
  return spellWords(new WordMix(streams, randomFor(seed, `mix ${letters}`)))
}

/** Counts what a chunk of a word list holds. */
export function countSet({ letters }: LetterSet, byLetter: readonly WordEntries[]): LetterCounts {
  const counts = noCounts()
  for (const letter of letters) {
    const entries = byLetter[alphabet.indexOf(letter)]
    for (const [index, word] of entries?.words.entries() ?? []) {
      const times = entries?.counts[index] ?? 0
      counts.words++
      counts.sum += times
      for (const byte of word) {
        const found = letterOfByte[byte] as number
        if (found < 26) counts.letters[found] = (counts.letters[found] ?? 0) + times
      }
    }
  }
  return counts
}
