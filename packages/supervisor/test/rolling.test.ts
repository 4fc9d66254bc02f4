import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryGroup } from './fixtures/memory-group.ts'

const stopFirst = { restartOrder: 'stop-first' } as const

async function started(replicas: number, options: Parameters<typeof createMemoryGroup>[0] = {}) {
  const made = createMemoryGroup({ ...options, replicas })
  await made.group.start()
  await made.settle()
  made.events.length = 0
  return made
}

test('a rolling restart replaces one after the other, new first, with one above the number', async () => {
  const { group, runtime, events, settle, names } = await started(3)
  let most = 0
  const push = events.push.bind(events)
  events.push = (event) => {
    most = Math.max(most, runtime.living.length)
    return push(event)
  }

  await group.rollingRestart('new certificate')

  await settle()
  assert.equal(most, 4)
  assert.equal(names().length, 3)
  assert.ok(names().every((name) => /^Server [a-z]/.test(name)))
  const story = events.map(({ kind }) => kind)
  assert.deepEqual(story, Array(3).fill(['spawned', 'draining', 'gone']).flat())
  assert.ok(events.every((event) => event.kind !== 'gone' || event.expected))
  assert.ok(
    events.every((event) => event.kind !== 'draining' || event.reason === 'new certificate'),
  )
})

test('an old replica serves until the new one is ready, and ends before the next begins', async () => {
  const { group, traffic, runtime, settle, clock } = await started(2)
  traffic.readyAtOnce = false
  traffic.drainedAtOnce = false
  const rolled = group.rollingRestart('test')
  await clock.advance(1_000)
  assert.equal(runtime.living.length, 3)
  assert.deepEqual(
    group.replicas().map(({ state }) => state),
    ['running', 'starting', 'running'],
  )

  const [, first] = group.replicas()
  traffic.ready(first?.id ?? '')
  await clock.advance(1_000)
  assert.equal(runtime.spawnedTotal, 3)

  traffic.drained('web/Server 1')
  await settle()
  assert.equal(runtime.spawnedTotal, 4)
  const second = group.replicas().find(({ state }) => state === 'starting')
  traffic.ready(second?.id ?? '')
  await settle()
  traffic.drained('web/Server 2')
  await rolled
})

test('a new replica that dies before it is ready stops the roll, and the old ones stay', async () => {
  const { group, traffic, runtime, names, events, settle } = await started(2)
  traffic.readyAtOnce = false
  const rolled = group.rollingRestart('test')
  await settle()

  runtime.living.at(-1)?.die('exited with code 3')

  await assert.rejects(rolled, {
    code: 'ROLL_STOPPED',
    message: /did not become ready: exited with code 3/,
  })
  await settle()
  assert.deepEqual(names(), ['Server 1', 'Server 2'])
  assert.equal(events.at(-1)?.kind, 'roll-stopped')
})

test('a new replica that is never ready stops the roll after its start timeout', async () => {
  const { group, traffic, runtime, names, clock } = await started(1)
  traffic.readyAtOnce = false
  const rolled = group.rollingRestart('test')
  const refused = assert.rejects(rolled, {
    code: 'ROLL_STOPPED',
    message: /not ready after 30000 ms/,
  })

  await clock.advance(30_000)

  await refused
  assert.deepEqual(names(), ['Server 1'])
  assert.equal(runtime.living.length, 1)
})

test('an old replica that dies during its roll is followed by its successor alone', async () => {
  const { group, traffic, runtime, instance, settle } = await started(1)
  traffic.readyAtOnce = false
  const rolled = group.rollingRestart('test')
  await settle()

  instance('Server 1').die()
  await settle()
  assert.equal(runtime.spawnedTotal, 2)

  traffic.ready(group.replicas()[0]?.id ?? '')
  await rolled
  assert.equal(runtime.living.length, 1)
})

test('scaling during a roll is done at once, and new replicas are not restarted again', async () => {
  const { group, traffic, runtime, settle } = await started(2)
  traffic.readyAtOnce = false
  const rolled = group.rollingRestart('test')
  await settle()
  await group.scale(4, 'more')
  await settle()
  assert.equal(runtime.spawnedTotal, 5)

  traffic.readyAtOnce = true
  for (const { id } of group.replicas()) traffic.ready(id)
  await rolled
  await settle()

  assert.equal(runtime.living.length, 4)
  assert.equal(runtime.spawnedTotal, 6)
})

test('removing the place that the roll is at lets it go on with the next', async () => {
  const { group, traffic, runtime, settle } = await started(3)
  traffic.readyAtOnce = false
  const rolled = group.rollingRestart('test')
  await settle()

  await group.remove(1, ['Server 1'])
  traffic.readyAtOnce = true
  await settle()
  for (const { id } of group.replicas()) traffic.ready(id)

  await rolled
  await settle()
  assert.equal(runtime.living.length, 2)
})

test('a roll on top of a roll brings all to the newest, and both callers hear of it', async () => {
  const { group, traffic, runtime, settle } = await started(2)
  traffic.readyAtOnce = false
  const first = group.rollingRestart('first')
  await settle()

  const second = group.rollingRestart('second')
  traffic.readyAtOnce = true
  for (const { id } of group.replicas()) traffic.ready(id)
  await Promise.all([first, second])

  await settle()
  // The one that was under way for the first is replaced once more.
  assert.equal(runtime.spawnedTotal, 5)
  assert.equal(runtime.living.length, 2)
})

test('a stop ends the roll', async () => {
  const { group, traffic, runtime, settle } = await started(2)
  traffic.readyAtOnce = false
  const rolled = group.rollingRestart('test')
  const refused = assert.rejects(rolled, { code: 'ROLL_STOPPED' })
  await settle()

  await group.stop()

  await refused
  assert.equal(runtime.living.length, 0)
})

test('a changed environment restarts all; a changed timeout none', async () => {
  const { group, spec, runtime, settle } = await started(2)

  await group.apply({ ...spec, stopTimeoutMs: 1, startTimeoutMs: 2 })
  assert.equal(runtime.spawnedTotal, 2)
  assert.equal(group.spec.stopTimeoutMs, 1)

  await group.apply({ ...spec, env: { COLOUR: 'green' } })
  await settle()
  assert.equal(runtime.spawnedTotal, 4)
  assert.ok(runtime.living.every(({ order }) => order.spec.env.COLOUR === 'green'))
})

test('a changed number scales; the same number leaves what was scaled by hand', async () => {
  const { group, spec, names, settle } = await started(2)
  await group.scale(5, 'by hand')

  await group.apply({ ...spec, stopTimeoutMs: 1 })
  assert.equal(names().length, 5)

  await group.apply({ ...spec, replicas: 3 })
  await settle()
  assert.equal(names().length, 3)
})

test('after a spec that cannot run, deaths are filled with what ran before', async () => {
  const { group, spec, runtime, traffic, instance, settle } = await started(2)
  runtime.behave({ refuses: true })

  await assert.rejects(group.apply({ ...spec, env: { BROKEN: '1' } }), { code: 'ROLL_STOPPED' })
  runtime.behave({})
  instance('Server 1').die()
  await settle()

  assert.ok(traffic.readyAtOnce)
  assert.equal(runtime.living.length, 2)
  assert.ok(runtime.living.every(({ order }) => order.spec.env.BROKEN === undefined))
  assert.deepEqual(group.spec.env, {})
})

test('a repaired spec ends a crash loop without waiting', async () => {
  const { group, spec, runtime, settle } = await started(1)
  for (let deaths = 0; deaths < 6; deaths++) {
    runtime.living[0]?.die()
    await settle()
  }
  assert.equal(runtime.living.length, 0)

  await group.apply({ ...spec, env: { REPAIRED: '1' } })

  assert.equal(runtime.living.length, 1)
  assert.equal(group.replicas()[0]?.state, 'running')
})

test('a group keeps its name, and a spec that cannot be run is refused whole', async () => {
  const { group, spec, runtime } = await started(1)

  await assert.rejects(group.apply({ ...spec, name: 'other' }), { code: 'SPEC_INVALID' })
  await assert.rejects(group.apply({ ...spec, replicas: -1, env: { A: '1' } }), {
    code: 'SPEC_INVALID',
  })

  assert.deepEqual(group.spec, spec)
  assert.equal(runtime.spawnedTotal, 1)
})

test('with stop-first the old one has ended before the new one starts', async () => {
  const { group, traffic, runtime, settle } = await started(2, stopFirst)
  traffic.drainedAtOnce = false
  const rolled = group.rollingRestart('test')
  await settle()
  assert.equal(runtime.spawnedTotal, 2)

  traffic.drained('web/Server 1')
  await settle()
  assert.equal(runtime.spawnedTotal, 3)
  assert.equal(runtime.living.length, 2)

  traffic.drained('web/Server 2')
  await rolled
  await settle()
  assert.equal(runtime.spawnedTotal, 4)
  assert.equal(runtime.living.length, 2)
})

test('with stop-first a new one that does not come up stops the roll, and the old program serves again', async () => {
  const { group, traffic, runtime, settle, clock, events } = await started(1, {
    ...stopFirst,
    startTimeoutMs: 5_000,
  })
  traffic.readyAtOnce = false
  const rolled = group.rollingRestart('test')
  const failure = assert.rejects(rolled, /did not become ready/)

  await clock.advance(6_000)
  await failure
  traffic.readyAtOnce = true
  await clock.advance(1_000)
  await settle()

  assert.equal(runtime.living.length, 1)
  assert.ok(events.some(({ kind }) => kind === 'roll-stopped'))
})

test('with stop-first a place that is closed meanwhile is passed over', async () => {
  const { group, traffic, runtime, settle } = await started(2, stopFirst)
  traffic.drainedAtOnce = false
  const rolled = group.rollingRestart('test')
  await settle()
  await group.scale(0, 'test')
  traffic.drained('web/Server 1')
  traffic.drained('web/Server 2')

  await rolled
  await settle()

  assert.equal(runtime.living.length, 0)
})
