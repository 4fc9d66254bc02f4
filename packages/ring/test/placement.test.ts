import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HashRing } from '../src/hash-ring.ts'
import { moves, place } from '../src/placement.ts'
import { Rendezvous } from '../src/rendezvous.ts'
import { anyNodes, keysNamed, nodesNamed } from './nodes.ts'

function countById(placed: ReadonlyMap<string, string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const id of placed.values()) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

test('every key is placed and no node is over its weighted limit', () => {
  const sizes = fc.integer({ min: 0, max: 300 })
  fc.assert(
    fc.property(anyNodes, sizes, fc.constantFrom(0.05, 0.25, 1), (nodes, size, epsilon) => {
      const placed = place(new HashRing(nodes), keysNamed('partition-', size), epsilon)
      const sum = nodes.reduce((total, { weight }) => total + weight, 0)
      const counts = countById(placed)
      assert.equal(placed.size, size)
      for (const { id, weight } of nodes) {
        const exact = (1 + epsilon) * size * (weight / sum)
        assert.ok((counts.get(id) ?? 0) <= Math.ceil(exact), `${id}: ${counts.get(id)} > ${exact}`)
      }
    }),
    { numRuns: 60 },
  )
})

test('one broker more takes its part, and most partitions stay', () => {
  const partitions = keysNamed('orders/', 64)
  const before = place(new Rendezvous(nodesNamed('broker-', 3)), partitions)
  const after = place(new Rendezvous(nodesNamed('broker-', 4)), partitions)

  const moved = moves(before, after)

  assert.ok(moved.length <= 28, `${moved.length} of 64 moved`)
  assert.ok(moved.some(({ to }) => to === 'broker-4'))
  for (const { key, from, to } of moved) {
    assert.equal(before.get(key), from)
    assert.equal(after.get(key), to)
    assert.notEqual(from, to)
  }
})

test('moves name keys that come and keys that go', () => {
  const before = new Map([
    ['a', 'one'],
    ['b', 'one'],
  ])
  const after = new Map([
    ['b', 'two'],
    ['c', 'two'],
  ])

  assert.deepEqual(moves(before, after), [
    { key: 'b', from: 'one', to: 'two' },
    { key: 'c', from: undefined, to: 'two' },
    { key: 'a', from: 'one', to: undefined },
  ])
})

test('without nodes nothing is placed, and an epsilon of 0 is refused', () => {
  assert.equal(place(new HashRing([]), ['a']).size, 0)
  assert.throws(() => place(new HashRing([]), [], 0), /epsilon is 0/)
})

test('a key that is there twice counts once', () => {
  assert.equal(place(new HashRing(nodesNamed('n', 2)), ['a', 'a']).size, 1)
})
