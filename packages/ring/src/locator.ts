import type { Key } from './hash.ts'

/** A member of a ring: a replica, a broker. */
export interface RingNode {
  /** Decides where the node lies on the ring. Unique among its neighbours. */
  readonly id: string
  /** Share relative to the others; above 0. Default 1. */
  readonly weight?: number
}

/** Says whether the node at `index` will take the key. Must not call the same locator again. */
export type Accepts = (index: number) => boolean

/**
 * Finds the node of a key. Nodes are told by their index in the list that the locator was made of.
 * A locator never changes: make a new one when nodes come or go.
 */
export interface Locator {
  readonly nodes: readonly RingNode[]
  /** Returns the index of the key's node, or -1 when there are no nodes. Allocates nothing. */
  locate(key: Key): number
  /**
   * Returns the first node that `accepts`, in the key's own order of nodes (`locate` is the first of
   * them), or -1 when none does. Each node is asked at most once. Allocates nothing itself, so make
   * `accepts` once, not for each key.
   */
  find(key: Key, accepts: Accepts): number
}

/** An index has 16 bits in the tables, and one value stands for "nobody". */
const nodesMax = 65_535

/**
 * Returns the weights of `nodes`; throws RangeError for a weight that is none, an id used twice or
 * more than 65,535 nodes.
 */
export function checkNodes(nodes: readonly RingNode[]): Float64Array {
  if (nodes.length > nodesMax) throw new RangeError(`${nodes.length} nodes are over ${nodesMax}`)
  const seen = new Set<string>()
  return Float64Array.from(nodes, ({ id, weight = 1 }) => {
    if (seen.has(id)) throw new RangeError(`node "${id}" is there twice`)
    if (!(weight > 0 && Number.isFinite(weight)))
      throw new RangeError(`the weight of node "${id}" is ${weight}; it must be above 0`)
    seen.add(id)
    return weight
  })
}
