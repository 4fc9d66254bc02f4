import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Locator, RingNode } from '../src/locator.ts'

/** `count` nodes of weight 1, named after `prefix`. */
export function nodesNamed(prefix: string, count: number): RingNode[] {
  return Array.from({ length: count }, (_, index) => ({ id: `${prefix}${index + 1}` }))
}

/** `count` keys that look like those of a web site. */
export function keysNamed(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`)
}

/** Lists of different nodes of any weight from 0.1 to 10. */
export const anyNodes = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 12 }),
    weight: fc.integer({ min: 1, max: 100 }).map((tenths) => tenths / 10),
  }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 12 },
)

/** How many of `keys` go to each node, by index. */
export function countByNode(
  locator: { nodes: readonly RingNode[]; locate(key: string): number },
  keys: readonly string[],
): number[] {
  const counts = new Array<number>(locator.nodes.length).fill(0)
  for (const key of keys) {
    const index = locator.locate(key)
    counts[index] = (counts[index] ?? 0) + 1
  }
  return counts
}

/** Checks, for `numRuns` rings of any nodes, that the keys of those who stay do not move. */
export function onlyOwnKeysMove(
  make: (nodes: readonly RingNode[]) => Locator,
  numRuns: number,
): void {
  const anyKeys = fc.array(fc.string(), { maxLength: 200 })
  fc.assert(
    fc.property(anyNodes, fc.nat(), anyKeys, (nodes, pick, keys) => {
      const leaving = pick % nodes.length
      const before = make(nodes)
      const after = make(nodes.filter((_, index) => index !== leaving))
      for (const key of keys) {
        const had = before.locate(key)
        if (had === leaving) continue
        assert.equal(after.nodes[after.locate(key)]?.id, nodes[had]?.id)
      }
    }),
    { numRuns },
  )
}
