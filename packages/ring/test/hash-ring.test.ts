import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { upperHash } from '../src/hash.ts'
import { HashRing } from '../src/hash-ring.ts'
import { anyNodes, countByNode, keysNamed, nodesNamed, onlyOwnKeysMove } from './nodes.ts'

test('when a node leaves, only its own keys move', () => {
  onlyOwnKeysMove((nodes) => new HashRing(nodes), 50)
})

test('with 100 virtual nodes the most loaded of 10 is within 1.25 of the mean', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), (prefix) => {
      const ring = new HashRing(nodesNamed(prefix, 10), { virtualNodes: 100 })
      const most = Math.max(...ring.shares().map(({ share }) => share))
      assert.ok(most * 10 <= 1.25, `the most loaded of ${prefix}1..10 has ${most * 10} of the mean`)
    }),
  )
})

test('the shares that are drawn are the shares that keys see', () => {
  const ring = new HashRing(nodesNamed('Server ', 4))
  const keys = keysNamed('/page/', 40_000)

  const counts = countByNode(ring, keys)

  for (const { node, share } of ring.shares())
    assert.ok(Math.abs((counts[node] ?? 0) / keys.length - share) < 0.01)
})

test('the arcs of all nodes cover the whole circle once', () => {
  fc.assert(
    fc.property(anyNodes, (nodes) => {
      const shares = new HashRing(nodes, { virtualNodes: 3 }).shares()
      const arcs = shares.flatMap((share) => share.arcs).sort((one, other) => one.from - other.from)
      const covered = arcs.reduce((sum, { length }) => sum + length, 0)
      assert.ok(Math.abs(covered - 1) < 1e-9)
      arcs.forEach((arc, index) => {
        const next = arcs[(index + 1) % arcs.length]?.from ?? 0
        const gap = (arc.from + arc.length - next + 1.5) % 1
        assert.ok(Math.abs(gap - 0.5) < 1e-9, `arc ${index} does not end where the next begins`)
      })
    }),
    { numRuns: 40 },
  )
})

test('a key belongs to the node whose arc it lies in', () => {
  const ring = new HashRing(nodesNamed('node-', 5), { virtualNodes: 4 })
  const shares = ring.shares()
  for (const key of keysNamed('key-', 2_000)) {
    const at = upperHash(key) / 2 ** 32
    const lies = shares[ring.locate(key)]?.arcs.some(
      ({ from, length }) => (at - from + 1) % 1 <= length,
    )
    assert.ok(lies, `${key} at ${at} is outside the arcs of its node`)
  }
})

test('a node of weight 3 gets three times the keys of a node of weight 1', () => {
  const nodes = [
    { id: 'small', weight: 1 },
    { id: 'large', weight: 3 },
  ]
  const ring = new HashRing(nodes, { virtualNodes: 400 })

  const [small = 0, large = 0] = ring.shares().map(({ share }) => share)

  assert.ok(large / small > 2.6 && large / small < 3.4, `it gets ${large / small} times as many`)
})

test('a node whose weight grows only takes keys, and from others alike', () => {
  const before = new HashRing(nodesNamed('node-', 5))
  const after = new HashRing([{ id: 'node-1', weight: 2 }, ...nodesNamed('node-', 5).slice(1)])
  for (const key of keysNamed('key-', 3_000)) {
    const now = after.locate(key)
    if (now !== 0) assert.equal(now, before.locate(key))
  }
})

test('heavy weights are thinned out instead of filling the memory', () => {
  const ring = new HashRing([
    { id: 'a', weight: 1e9 },
    { id: 'b', weight: 1e9 },
    { id: 'c', weight: 1 },
  ])

  const [a = 0, b = 0, c = 0] = ring.shares().map(({ share }) => share)

  assert.ok(Math.abs(a - 0.5) < 0.01 && Math.abs(b - 0.5) < 0.01 && c > 0 && c < 0.001)
})

test('a single node has the whole circle', () => {
  const [only] = new HashRing([{ id: 'only' }]).shares()

  assert.deepEqual(only, { node: 0, share: 1, arcs: [{ from: 0, length: 1 }] })
})

test('less than one virtual node is refused', () => {
  assert.throws(() => new HashRing([{ id: 'a' }], { virtualNodes: 0 }), /virtualNodes is 0/)
})
