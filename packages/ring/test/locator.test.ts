import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Key } from '../src/hash.ts'
import { HashRing } from '../src/hash-ring.ts'
import type { Locator, RingNode } from '../src/locator.ts'
import { MaglevTable } from '../src/maglev.ts'
import { Rendezvous } from '../src/rendezvous.ts'
import { anyNodes, keysNamed, nodesNamed } from './nodes.ts'

const anyKey = fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeNat())

/** What every locator promises, whatever it does inside. */
function promises(name: string, make: (nodes: readonly RingNode[]) => Locator): void {
  describe(name, () => {
    test('finds each key on the same node again, also in a copy made of the same nodes', () => {
      fc.assert(
        fc.property(anyNodes, anyKey, (nodes, key) => {
          const locator = make(nodes)
          const index = locator.locate(key)
          assert.ok(index >= 0 && index < nodes.length)
          assert.equal(locator.locate(key), index)
          assert.equal(make(nodes).locate(key), index)
        }),
        { numRuns: 60 },
      )
    })

    test('does not care in which order the nodes come', () => {
      const nodes = nodesNamed('node-', 9)
      const forth = make(nodes)
      const back = make(nodes.toReversed())
      const same = keysNamed('key-', 2_000).filter(
        (key) => forth.nodes[forth.locate(key)]?.id === back.nodes[back.locate(key)]?.id,
      )

      assert.ok(same.length >= (name === 'maglev' ? 1_900 : 2_000), `${same.length} of 2000`)
    })

    test('asks every node once, the key’s own first, until one accepts', () => {
      fc.assert(
        fc.property(anyNodes, anyKey, fc.nat(), (nodes, key, pick) => {
          const locator = make(nodes)
          const wanted = pick % nodes.length
          const asked: number[] = []
          const found = locator.find(key, (index) => {
            asked.push(index)
            return index === wanted
          })
          assert.equal(found, wanted)
          assert.equal(new Set(asked).size, asked.length)
          assert.equal(
            locator.find(key, () => true),
            locator.locate(key),
          )
        }),
        { numRuns: 60 },
      )
    })

    test('finds nobody when no node accepts', () => {
      const locator = make(nodesNamed('node-', 5))
      let asked = 0
      const found = locator.find('key', () => {
        asked++
        return false
      })

      assert.equal(found, -1)
      assert.ok(asked <= 5)
    })

    test('a key whose node is passed over goes where it would be without that node', () => {
      if (name === 'maglev') return
      const nodes = nodesNamed('node-', 7)
      const locator = make(nodes)
      for (const key of keysNamed('key-', 300)) {
        const first = locator.locate(key)
        const rest = make(nodes.filter((_, index) => index !== first))
        const second = locator.find(key, (index) => index !== first)
        assert.equal(nodes[second]?.id, rest.nodes[rest.locate(key)]?.id)
      }
    })

    test('has nobody to offer when it has no nodes', () => {
      const locator = make([])

      assert.equal(locator.locate('key'), -1)
      assert.equal(
        locator.find('key', () => true),
        -1,
      )
    })

    test('refuses an id used twice and a weight that is none', () => {
      assert.throws(() => make([{ id: 'a' }, { id: 'a' }]), /"a" is there twice/)
      for (const weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
        assert.throws(() => make([{ id: 'a', weight }]), RangeError)
    })

    test('keeps its nodes when the list it was made of changes', () => {
      const nodes = nodesNamed('node-', 3)
      const locator = make(nodes)
      const before = keysNamed('key-', 50).map((key: Key) => locator.locate(key))
      nodes.pop()

      assert.equal(locator.nodes.length, 3)
      assert.deepEqual(
        keysNamed('key-', 50).map((key) => locator.locate(key)),
        before,
      )
    })
  })
}

promises('hash ring', (nodes) => new HashRing(nodes))
promises('maglev', (nodes) => new MaglevTable(nodes, { tableSize: 5_003 }))
promises('rendezvous', (nodes) => new Rendezvous(nodes))
