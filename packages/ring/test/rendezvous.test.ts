import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rendezvous } from '../src/rendezvous.ts'
import { countByNode, keysNamed, nodesNamed, onlyOwnKeysMove } from './nodes.ts'

test('when a node leaves, only its own keys move', () => {
  onlyOwnKeysMove((nodes) => new Rendezvous(nodes), 100)
})

test('keys spread exactly in proportion to the weights, up to chance', () => {
  const weights = [1, 2, 3, 4]
  const nodes = weights.map((weight) => ({ id: `weight ${weight}`, weight }))
  const keys = keysNamed('key-', 50_000)

  const counts = countByNode(new Rendezvous(nodes), keys)

  weights.forEach((weight, index) => {
    const expected = keys.length * (weight / 10)
    const deviation = Math.sqrt(expected * (1 - weight / 10))
    assert.ok(Math.abs((counts[index] ?? 0) - expected) < 5 * deviation, `${counts}`)
  })
})

test('the keys of a leaving node spread over all others', () => {
  const nodes = nodesNamed('node-', 5)
  const before = new Rendezvous(nodes)
  const after = new Rendezvous(nodes.slice(1))
  const own = keysNamed('key-', 20_000).filter((key) => before.locate(key) === 0)

  const counts = countByNode(after, own)

  for (const count of counts) assert.ok(Math.abs(count / own.length - 0.25) < 0.05, `${counts}`)
})

test('equal weights, whatever they are, place keys alike', () => {
  const light = new Rendezvous(nodesNamed('node-', 6))
  const heavy = new Rendezvous(nodesNamed('node-', 6).map((node) => ({ ...node, weight: 7 })))
  const nearly = new Rendezvous(
    nodesNamed('node-', 6).map((node, index) => ({ ...node, weight: 1 + index * 1e-12 })),
  )
  for (const key of keysNamed('key-', 2_000)) {
    assert.equal(heavy.locate(key), light.locate(key))
    assert.equal(nearly.locate(key), light.locate(key))
  }
})
