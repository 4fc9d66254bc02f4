import { type Key, lowerHash, mix32, upperHash } from './hash.ts'
import { type Accepts, checkNodes, type Locator, type RingNode } from './locator.ts'

const two52 = 2 ** 52
const acceptsAll: Accepts = () => true

/**
 * Each key gives each node a score and belongs to the highest ("highest random weight"). Exactly in
 * proportion to the weights, no table, only a leaving node's own keys move, and they spread over all
 * others; but each lookup takes time in proportion to the nodes. Thaler and Ravishankar, "A
 * Name-Based Mapping Scheme for Rendezvous", 1996; weights by the logarithm method of Schindelhauer
 * and Schomaker, "Weighted Distributed Hash Tables", 2005.
 */
export class Rendezvous implements Locator {
  readonly nodes: readonly RingNode[]
  readonly #weights: Float64Array
  readonly #isEven: boolean
  readonly #upper: Uint32Array
  readonly #lower: Uint32Array

  /** Throws RangeError for a weight that is none or an id used twice. */
  constructor(nodes: readonly RingNode[]) {
    this.nodes = [...nodes]
    this.#weights = checkNodes(nodes)
    this.#isEven = this.#weights.every((weight) => weight === this.#weights[0])
    this.#upper = Uint32Array.from(nodes, ({ id }) => upperHash(id))
    this.#lower = Uint32Array.from(nodes, ({ id }) => lowerHash(id))
  }

  locate(key: Key): number {
    return this.find(key, acceptsAll)
  }

  find(key: Key, accepts: Accepts): number {
    const high = upperHash(key)
    const low = lowerHash(key)
    let best = -1
    let bestScore = Number.NEGATIVE_INFINITY
    for (let node = 0; node < this.nodes.length; node++) {
      const score = this.#score(node, high, low)
      if (score > bestScore && accepts(node)) {
        best = node
        bestScore = score
      }
    }
    return best
  }

  /**
   * The hash h of key and node as a number in (0, 1), and of that −weight / ln h. With equal weights
   * h itself is in the same order, and costs no logarithm.
   */
  #score(node: number, high: number, low: number): number {
    const upper = mix32(high ^ (this.#upper[node] ?? 0))
    const lower = mix32(upper ^ low ^ (this.#lower[node] ?? 0))
    const drawn = (upper * 0x10_0000 + (lower >>> 12) + 0.5) / two52
    return this.#isEven ? drawn : -(this.#weights[node] ?? 0) / Math.log(drawn)
  }
}
