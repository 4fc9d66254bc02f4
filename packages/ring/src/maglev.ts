import { type Key, lowerHash, upperHash } from './hash.ts'
import { type Accepts, checkNodes, type Locator, type RingNode } from './locator.ts'
import { Marks } from './marks.ts'
import { type MaglevOptions, maglevDefaults } from './options.ts'
import { isPrime } from './primes.ts'

const empty = 0xffff

/**
 * A table in which each node has slots exactly in proportion to its weight (to one slot); a key
 * belongs to the node of its slot. One step to look up and the most even spread of all, but when a
 * node leaves, a few keys of others move too. Eisenbud et al., "Maglev: A Fast and Reliable Software
 * Network Load Balancer", 2016, section 3.4; weights as turns taken in proportion.
 */
export class MaglevTable implements Locator {
  readonly nodes: readonly RingNode[]
  readonly #table: Uint16Array
  readonly #marks: Marks

  /** Throws RangeError for a bad weight, an id used twice, a size that is no prime or too small. */
  constructor(nodes: readonly RingNode[], options: MaglevOptions = {}) {
    const { tableSize = maglevDefaults.tableSize } = options
    if (!isPrime(tableSize) || tableSize > 0xff_ffff)
      throw new RangeError(`tableSize is ${tableSize}; it must be a prime number below 2^24`)
    if (nodes.length >= Math.min(tableSize, empty))
      throw new RangeError(`${nodes.length} nodes are too many for ${tableSize} slots`)
    this.nodes = [...nodes]
    this.#table = fillTable(this.nodes, checkNodes(nodes), tableSize)
    this.#marks = new Marks(nodes.length)
  }

  locate(key: Key): number {
    return this.nodes.length === 0 ? -1 : (this.#table[this.#slotOf(key)] ?? -1)
  }

  /** After the key's own slot come the slots behind it, whose owners are as good as drawn by lot. */
  find(key: Key, accepts: Accepts): number {
    const table = this.#table
    const marks = this.#marks
    let unasked = this.nodes.length
    let slot = this.#slotOf(key)
    marks.begin()
    for (let steps = 0; unasked > 0 && steps < table.length; steps++) {
      const node = table[slot] ?? 0
      if (marks.meet(node)) {
        if (accepts(node)) return node
        unasked--
      }
      slot = slot + 1 === table.length ? 0 : slot + 1
    }
    return -1
  }

  /** Returns how many slots of the table each node has. */
  slotCounts(): number[] {
    const counts = new Array<number>(this.nodes.length).fill(0)
    for (const node of this.#table) counts[node] = (counts[node] ?? 0) + 1
    return counts
  }

  #slotOf(key: Key): number {
    return Math.floor((upperHash(key) * this.#table.length) / 0x1_0000_0000)
  }
}

/**
 * Nodes take turns; in its turn a node takes the first free slot of its own permutation, which is
 * offset, offset + skip, offset + 2·skip, … modulo the size. In the first round everybody has a turn,
 * so that nobody is left out; after that the heaviest has one in each round, and a node of half that
 * weight in every second round.
 */
function fillTable(
  nodes: readonly RingNode[],
  weights: Float64Array,
  tableSize: number,
): Uint16Array {
  const table = new Uint16Array(tableSize).fill(empty)
  if (nodes.length === 0) return table
  const { next, skip } = permutations(nodes, tableSize)
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight))
  const credit = weights.map((weight) => heaviest - weight)
  let free = tableSize
  while (free > 0) {
    for (let node = 0; node < nodes.length && free > 0; node++) {
      const earned = (credit[node] ?? 0) + (weights[node] ?? 0)
      const isTurn = earned >= heaviest
      credit[node] = isTurn ? earned - heaviest : earned
      if (!isTurn) continue
      const slot = firstFree(table, next[node] ?? 0, skip[node] ?? 1)
      table[slot] = node
      next[node] = slot
      free--
    }
  }
  return table
}

function permutations(nodes: readonly RingNode[], tableSize: number) {
  const next = new Uint32Array(nodes.length)
  const skip = new Uint32Array(nodes.length)
  nodes.forEach(({ id }, node) => {
    next[node] = upperHash(id) % tableSize
    skip[node] = (lowerHash(id) % (tableSize - 1)) + 1
  })
  return { next, skip }
}

/** The size is a prime, so the steps of any length pass every slot before the first comes again. */
function firstFree(table: Uint16Array, from: number, skip: number): number {
  let slot = from
  while (table[slot] !== empty) {
    slot += skip
    if (slot >= table.length) slot -= table.length
  }
  return slot
}
