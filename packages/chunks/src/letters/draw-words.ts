import { createHash } from 'node:crypto'
import { type Random, seededRandom } from '@drover/kernel'
import type { WordEntries } from './word-list.ts'

/** Words that come one after the other until none is left. */
export interface WordStream {
  readonly remaining: number
  /** The next word; only while `remaining` is above 0. */
  next(): Buffer
}

/** Returns chance for one purpose of a seed, so that the order does not depend on who does the work. */
export function randomFor(seed: number, purpose: string): Random {
  return seededRandom(createHash('sha256').update(`${seed}:${purpose}`).digest().readUInt32BE())
}

/**
 * Draws every word as often as its count, each order equally likely: without replacement, by a
 * Fenwick tree over the counts. Memory is that of the words, whatever the counts; a draw is O(log n).
 */
export class WordDraw implements WordStream {
  remaining: number
  readonly #words: readonly Buffer[]
  readonly #tree: Float64Array
  readonly #top: number
  readonly #random: Random

  constructor({ words, counts }: WordEntries, random: Random) {
    this.#words = words
    this.#random = random
    this.#tree = new Float64Array(words.length + 1)
    this.#top = 2 ** Math.floor(Math.log2(Math.max(1, words.length)))
    for (const [index, count] of counts.entries()) {
      const node = index + 1
      this.#tree[node] = (this.#tree[node] ?? 0) + count
      const parent = node + (node & -node)
      if (parent <= words.length)
        this.#tree[parent] = (this.#tree[parent] ?? 0) + (this.#tree[node] ?? 0)
    }
    this.remaining = counts.reduce((sum, count) => sum + count, 0)
  }

  next(): Buffer {
    let rest = this.#random.integer(0, this.remaining - 1)
    let node = 0
    for (let step = this.#top; step > 0; step >>= 1) {
      const below = this.#tree[node + step]
      if (below === undefined || below > rest) continue
      rest -= below
      node += step
    }
    this.remaining--
    for (let up = node + 1; up < this.#tree.length; up += up & -up)
      this.#tree[up] = (this.#tree[up] as number) - 1
    return this.#words[node] as Buffer
  }
}

/**
 * Mixes streams into one: each word comes from a stream with the chance of its share of what is left,
 * so that mixing evenly drawn streams is an even draw of all their words.
 */
export class WordMix implements WordStream {
  remaining: number
  readonly #streams: readonly WordStream[]
  readonly #random: Random

  constructor(streams: readonly WordStream[], random: Random) {
    this.#streams = streams
    this.#random = random
    this.remaining = streams.reduce((sum, stream) => sum + stream.remaining, 0)
  }

  next(): Buffer {
    let rest = this.#streams.length === 1 ? 0 : this.#random.integer(0, this.remaining - 1)
    this.remaining--
    for (const stream of this.#streams) {
      if (rest < stream.remaining) return stream.next()
      rest -= stream.remaining
    }
    throw new RangeError('a stream ended before its count')
  }
}

const blockBytes = 64 * 1_024

/** Yields the words of a stream, one space between two, in blocks; a block is good until the next. */
export function* spellWords(stream: WordStream): Generator<Buffer> {
  const block = Buffer.allocUnsafe(blockBytes)
  let used = 0
  for (let isFirst = true; stream.remaining > 0; isFirst = false) {
    const word = stream.next()
    if (used + word.length + 1 > blockBytes) {
      yield block.subarray(0, used)
      used = 0
    }
    if (word.length + 1 > blockBytes) {
      yield isFirst ? word : Buffer.concat([Buffer.from(' '), word])
      continue
    }
    if (!isFirst) block[used++] = 32
    used += word.copy(block, used)
  }
  if (used > 0) yield block.subarray(0, used)
}
