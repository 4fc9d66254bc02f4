import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryGroup, namesOf } from './fixtures/memory-group.ts'

async function started(replicas: number) {
  const made = createMemoryGroup({ replicas })
  await made.group.start()
  await made.settle()
  return made
}

test('scaling up uses the next numbers', async () => {
  const { group, names, events } = await started(2)

  await group.scale(4, 'by hand')

  assert.deepEqual(names(), ['Server 1', 'Server 2', 'Server 3', 'Server 4'])
  assert.deepEqual(events.at(2), { kind: 'scaled', group: 'web', replicas: 4, reason: 'by hand' })
  assert.equal(group.spec.replicas, 4)
})

test('scaling down takes those first that serve nothing yet, then the newest', async () => {
  const { group, names, traffic, settle, instance } = await started(3)
  traffic.readyAtOnce = false
  instance('Server 1').die()
  await settle()
  const [starting] = names()

  await group.scale(2, 'by hand')
  await settle()
  assert.deepEqual(names(), ['Server 2', 'Server 3'])
  assert.notEqual(starting, 'Server 2')

  await group.scale(1, 'by hand')
  await settle()
  assert.deepEqual(names(), ['Server 2'])
})

test('a number of replicas is never used again', async () => {
  const { group, names, settle } = await started(2)

  await group.scale(1, 'less')
  await settle()
  await group.scale(2, 'more')

  assert.deepEqual(names(), ['Server 1', 'Server 3'])
})

test('a scale to what runs already changes nothing', async () => {
  const { group, kinds } = await started(2)

  await group.scale(2, 'again')

  assert.deepEqual(kinds(), ['spawned', 'spawned'])
})

test('scaling to 0 and back works', async () => {
  const { group, names, settle } = await started(2)

  await group.scale(0, 'night')
  await settle()
  assert.deepEqual(names(), [])

  await group.scale(1, 'morning')
  assert.deepEqual(names(), ['Server 3'])
})

test('added replicas get the names given by people, the others the next numbers', async () => {
  const { group, names } = await started(2)

  const added = await group.add(3, ['S5', 'Server 3'])

  assert.deepEqual(namesOf(added), ['S5', 'Server 3', 'Server 4'])
  assert.deepEqual(names(), ['Server 1', 'Server 2', 'S5', 'Server 3', 'Server 4'])
  assert.equal(added[0]?.port !== 0, true)
})

test('a name that was used before can be given again and is another replica', async () => {
  const { group, settle } = await started(1)
  const [first] = await group.add(1, ['S5'])
  await group.remove(1, ['S5'])
  await settle()

  const [second] = await group.add(1, ['S5'])

  assert.deepEqual([first?.id, second?.id], ['web/S5', 'web/S5~2'])
})

test('removing takes those named and others at random', async () => {
  const { group, names, settle } = await started(5)

  const removed = await group.remove(3, ['Server 4'])
  await settle()

  assert.equal(removed.length, 3)
  assert.ok(namesOf(removed).includes('Server 4'))
  assert.equal(names().length, 2)
  assert.equal(group.spec.replicas, 2)
})

const refused: [
  string,
  string,
  RegExp,
  (group: Awaited<ReturnType<typeof started>>['group']) => Promise<unknown>,
][] = [
  ['adding none', 'SCALE_INVALID', /^0 is not a number/, (group) => group.add(0, [])],
  ['adding half a replica', 'SCALE_INVALID', /^1\.5 /, (group) => group.add(1.5, [])],
  ['adding a negative number', 'SCALE_INVALID', /^-1 /, (group) => group.add(-1, [])],
  ['adding a word', 'SCALE_INVALID', /^"4" /, (group) => group.add('4' as unknown as number, [])],
  ['adding too many', 'SCALE_INVALID', /to 997$/, (group) => group.add(998, [])],
  [
    'more names than added',
    'NAMES_TOO_MANY',
    /^2 names .* 1 /,
    (group) => group.add(1, ['a', 'b']),
  ],
  ['a name twice', 'NAME_TWICE', /^"a" /, (group) => group.add(2, ['a', 'a'])],
  ['a name that runs', 'NAME_TAKEN', /"Server 2"/, (group) => group.add(1, ['Server 2'])],
  [
    'a name that differs by a blank',
    'NAME_TAKEN',
    /"Server_2"/,
    (group) => group.add(1, ['Server_2']),
  ],
  ['an empty name', 'NAME_INVALID', /^"" /, (group) => group.add(1, [''])],
  ['a name with a slash', 'NAME_INVALID', /^"\.\.\/x" /, (group) => group.add(1, ['../x'])],
  ['a name too long', 'NAME_INVALID', /^"a{60}/, (group) => group.add(1, ['a'.repeat(64)])],
  ['scaling below nothing', 'SCALE_INVALID', /^-1 /, (group) => group.scale(-1, 'x')],
  ['scaling past the bound', 'SCALE_INVALID', /to 1000$/, (group) => group.scale(1001, 'x')],
  ['removing none', 'SCALE_INVALID', /^0 /, (group) => group.remove(0, [])],
  ['removing more than run', 'REPLICAS_TOO_FEW', /^4 .* 3 run$/, (group) => group.remove(4, [])],
  ['removing a stranger', 'UNKNOWN_REPLICA', /"S9"/, (group) => group.remove(1, ['S9'])],
  ['more names than removed', 'NAMES_TOO_MANY', /^2 /, (group) => group.remove(1, ['a', 'b'])],
  [
    'removing one twice',
    'NAME_TWICE',
    /"Server 1"/,
    (group) => group.remove(2, ['Server 1', 'Server 1']),
  ],
]

for (const [what, code, message, call] of refused)
  test(`${what} is refused with ${code} and changes nothing`, async () => {
    const { group, names, runtime } = await started(3)

    await assert.rejects(call(group), { code, message })

    assert.deepEqual(names(), ['Server 1', 'Server 2', 'Server 3'])
    assert.equal(runtime.spawnedTotal, 3)
  })
