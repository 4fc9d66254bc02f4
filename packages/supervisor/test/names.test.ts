import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@drover/kernel'
import { createIds, createNames, serverId } from '../src/names.ts'

test('numbers go on, and pass over a name that a person took', () => {
  const names = createNames(() => 'Server ', seededRandom(1))

  const given = [new Set<string>(), new Set(['Server_2']), new Set<string>()].map((taken) =>
    names.numbered(taken),
  )

  assert.deepEqual(given, ['Server 1', 'Server 3', 'Server 4'])
})

test('an invented name is the prefix and one word, and nobody has it', () => {
  const taken = new Set<string>()
  const names = createNames(() => 'Server ', seededRandom(1))

  for (let count = 0; count < 1_000; count++) {
    const name = names.invented(taken)
    assert.match(name, /^Server [a-z][a-z2-9]{5}$/)
    assert.ok(!taken.has(name.replace(' ', '_')))
    taken.add(name.replace(' ', '_'))
  }
})

test('the id of a name used again is another', () => {
  const makeId = createIds()

  assert.deepEqual(
    ['S5', 'S5', 'S6', 'S5'].map((name) => makeId('web', name)),
    ['web/S5', 'web/S5~2', 'web/S6', 'web/S5~3'],
  )
  assert.equal(makeId('api', 'S5'), 'api/S5')
})

test('SERVER_ID is the name without the prefix, where it has one and more', () => {
  assert.deepEqual(
    ['Server 1', 'S5', 'Server ', 'Server k3f9x2'].map((name) => serverId(name, 'Server ')),
    ['1', 'S5', 'Server ', 'k3f9x2'],
  )
  assert.equal(serverId('1', ''), '1')
})
