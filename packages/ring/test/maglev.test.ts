import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MaglevTable } from '../src/maglev.ts'
import { keysNamed, nodesNamed } from './nodes.ts'

test('nodes of equal weight have equally many slots, to one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.string(), (count, prefix) => {
      const counts = new MaglevTable(nodesNamed(prefix, count)).slotCounts()
      assert.equal(
        counts.reduce((sum, slots) => sum + slots, 0),
        65_537,
      )
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1)
    }),
    { numRuns: 15 },
  )
})

test('slots are in proportion to weights, and even the lightest has one', () => {
  const weights = [1, 2, 5, 0.5, 1e-7]
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const nodes = weights.map((weight, index) => ({ id: `node-${index}`, weight }))

  const counts = new MaglevTable(nodes).slotCounts()

  weights.forEach((weight, index) => {
    const slots = counts[index] ?? 0
    assert.ok(slots >= 1 && Math.abs(slots - (65_537 * weight) / sum) <= 3, `${index}: ${slots}`)
  })
})

test('when one of ten leaves, under 2 % of the keys of others move', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.nat(9), (prefix, leaving) => {
      const nodes = nodesNamed(prefix, 10)
      const before = new MaglevTable(nodes)
      const after = new MaglevTable(nodes.filter((_, index) => index !== leaving))
      const others = keysNamed('key-', 20_000).filter((key) => before.locate(key) !== leaving)
      const moved = others.filter(
        (key) => after.nodes[after.locate(key)]?.id !== nodes[before.locate(key)]?.id,
      )
      assert.ok(moved.length < 0.02 * 20_000, `${moved.length} of ${others.length} moved`)
    }),
    { numRuns: 25 },
  )
})

test('a size that is no prime, or too small for the nodes, is refused', () => {
  assert.throws(() => new MaglevTable([{ id: 'a' }], { tableSize: 65_536 }), /prime/)
  assert.throws(() => new MaglevTable(nodesNamed('n', 11), { tableSize: 11 }), /too many/)
})
