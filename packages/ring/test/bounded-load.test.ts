import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loadLimit } from '../src/bounded-load.ts'
import { HashRing } from '../src/hash-ring.ts'
import { nodesNamed } from './nodes.ts'

test('the limit is the mean with its allowance, rounded up', () => {
  assert.equal(loadLimit(10, 1 / 10, 0.25), 2)
  assert.equal(loadLimit(100, 1 / 10, 0.25), 13)
  assert.equal(loadLimit(80, 1 / 10, 0.25), 10)
  assert.equal(loadLimit(100, 1 / 10, 0.1), 11)
  assert.equal(loadLimit(1, 1 / 1000, 0.25), 1)
})

test('while requests come and go, no node is ever over its limit, and all are placed', () => {
  const events = fc.array(
    fc.oneof(fc.record({ key: fc.integer({ min: 0, max: 5 }) }), fc.record({ end: fc.nat() })),
    { maxLength: 300 },
  )
  const epsilons = fc.constantFrom(0.01, 0.1, 0.25, 1, 3)
  fc.assert(
    fc.property(events, epsilons, fc.integer({ min: 1, max: 12 }), (steps, epsilon, count) => {
      const ring = new HashRing(nodesNamed('node-', count))
      const loads = new Array<number>(count).fill(0)
      const running: number[] = []
      let limit = 0
      const hasRoom = (index: number): boolean => (loads[index] ?? 0) < limit
      for (const step of steps) {
        if ('end' in step) {
          const [node] = running.splice(step.end % Math.max(1, running.length), 1)
          if (node !== undefined) loads[node] = (loads[node] ?? 0) - 1
          continue
        }
        limit = loadLimit(running.length + 1, 1 / count, epsilon)
        const node = ring.find(`hot ${step.key}`, hasRoom)
        assert.ok(node >= 0)
        loads[node] = (loads[node] ?? 0) + 1
        running.push(node)
        const exact = Math.ceil(((1 + epsilon) * running.length) / count)
        assert.ok((loads[node] ?? 0) <= exact, `${loads[node]} of at most ${exact}`)
      }
    }),
  )
})
