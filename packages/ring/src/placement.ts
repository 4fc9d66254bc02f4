import { loadLimit } from './bounded-load.ts'
import type { Locator } from './locator.ts'

/** A key that changes its node. */
export interface Move {
  readonly key: string
  /** Id of the node that had the key; undefined when it had none. */
  readonly from: string | undefined
  /** Id of the node that has it now; undefined when there is none. */
  readonly to: string | undefined
}

/**
 * Places each of `keys` on a node by its own order of nodes, and none on a node that has its limit
 * (see `loadLimit`) already. Returns the nodes' ids by key, in the order of `keys`; the first keys
 * have the first choice, so give them in a fixed order. `epsilon` must be above 0; it trades even
 * loads (small) against few moves when nodes come and go (large).
 */
export function place(
  locator: Locator,
  keys: readonly string[],
  epsilon = 0.25,
): Map<string, string> {
  if (!(epsilon > 0)) throw new RangeError(`epsilon is ${epsilon}; it must be above 0`)
  const { nodes } = locator
  const sum = nodes.reduce((total, { weight = 1 }) => total + weight, 0)
  const limits = nodes.map(({ weight = 1 }) => loadLimit(keys.length, weight / sum, epsilon))
  const loads = nodes.map(() => 0)
  const hasRoom = (index: number): boolean => (loads[index] ?? 0) < (limits[index] ?? 0)

  const placed = new Map<string, string>()
  for (const key of new Set(keys)) {
    const index = locator.find(key, hasRoom)
    const node = nodes[index]
    if (node === undefined) break
    loads[index] = (loads[index] ?? 0) + 1
    placed.set(key, node.id)
  }
  return placed
}

/** Returns the keys that are not where they were, in the order of `after`, then those that left. */
export function moves(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Move[] {
  const changed = [...after]
    .filter(([key, to]) => before.get(key) !== to)
    .map(([key, to]) => ({ key, from: before.get(key), to }))
  const gone = [...before]
    .filter(([key]) => !after.has(key))
    .map(([key, from]) => ({ key, from, to: undefined }))
  return [...changed, ...gone]
}
