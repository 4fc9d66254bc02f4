import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupEvent } from '@drover/supervisor'
import { createMemoryGroup } from './fixtures/memory-group.ts'

function ofKind<Kind extends GroupEvent['kind']>(events: readonly GroupEvent[], kind: Kind) {
  return events.filter((event) => event.kind === kind) as Extract<GroupEvent, { kind: Kind }>[]
}

test('the first replicas are numbered, and the outside hears of each', async () => {
  const { group, names, kinds, settle } = createMemoryGroup({ replicas: 3 })

  await group.start()
  await settle()

  assert.deepEqual(names(), ['Server 1', 'Server 2', 'Server 3'])
  assert.deepEqual(kinds(), ['spawned', 'spawned', 'spawned'])
  assert.deepEqual(
    group.replicas().map(({ id, state }) => [id, state]),
    [
      ['web/Server 1', 'running'],
      ['web/Server 2', 'running'],
      ['web/Server 3', 'running'],
    ],
  )
})

test('the runtime is told SERVER_ID, the name without the prefix', async () => {
  const { group, instance } = createMemoryGroup({ replicas: 1 })
  await group.start()

  await group.add(1, ['S5'])

  assert.equal(instance('Server 1').order.serverId, '1')
  assert.equal(instance('S5').order.serverId, 'S5')
})

test('a replica that dies is replaced at once by one under a new random name', async () => {
  const { group, names, events, instance, settle } = createMemoryGroup({ replicas: 2 })
  await group.start()
  await settle()

  instance('Server 1').die('was killed by SIGKILL')
  await settle()

  assert.match(names()[0] ?? '', /^Server [a-z][a-z0-9]{5}$/)
  assert.equal(names()[1], 'Server 2')
  const [gone] = ofKind(events, 'gone')
  assert.equal(gone?.expected, false)
  assert.equal(gone?.reason, 'was killed by SIGKILL')
  assert.equal(gone?.replica.state, 'gone')
  assert.equal(ofKind(events, 'crash-loop').length, 0)
})

test('one that keeps dying waits longer and longer, up to the cap, and says so', async () => {
  const backoff = { firstMs: 100, mostMs: 1_000 }
  const { group, runtime, events, clock, settle } = createMemoryGroup({ replicas: 1, backoff })
  await group.start()

  for (let deaths = 0; deaths < 30; deaths++) {
    await settle()
    runtime.living[0]?.die()
    await clock.advance(1_000)
  }

  const waits = ofKind(events, 'crash-loop')
  assert.equal(waits.length, 29)
  for (const [index, { waitMs, restarts, reason }] of waits.entries()) {
    assert.ok(waitMs <= Math.min(1_000, 100 * 2 ** index), `${waitMs} ms at wait ${index}`)
    assert.equal(restarts, index + 2)
    assert.equal(reason, 'exited with code 1')
  }
  assert.ok(waits.slice(8).some(({ waitMs }) => waitMs > 500))
  assert.ok(new Set(waits.map(({ waitMs }) => waitMs)).size > 20)
})

test('nothing runs in a place while it waits, and a stop ends the wait', async () => {
  const backoff = { firstMs: 1_000, mostMs: 1_000 }
  const { group, runtime, clock, settle } = createMemoryGroup({ replicas: 1, backoff })
  await group.start()
  for (let deaths = 0; deaths < 2; deaths++) {
    await settle()
    runtime.living[0]?.die()
  }
  await settle()
  assert.deepEqual(group.replicas(), [])

  await group.stop()

  assert.equal(clock.pending, 0)
  assert.equal(runtime.spawnedTotal, 2)
})

test('a replica that was stable is replaced at once again', async () => {
  const { group, runtime, events, clock, settle } = createMemoryGroup({
    replicas: 1,
    stableAfterMs: 10_000,
  })
  await group.start()

  for (let deaths = 0; deaths < 5; deaths++) {
    await clock.advance(10_000)
    runtime.living[0]?.die()
    await settle()
  }

  assert.equal(ofKind(events, 'crash-loop').length, 0)
  assert.equal(group.replicas()[0]?.restarts, 1)
})

test('a long life without being ready is not stability', async () => {
  const wishes = { replicas: 1, stableAfterMs: 10, startTimeoutMs: 5_000 }
  const { group, traffic, events, clock } = createMemoryGroup(wishes)
  traffic.readyAtOnce = false
  await group.start()

  await clock.advance(5_000)
  await clock.advance(5_000)

  const [gone] = ofKind(events, 'gone')
  assert.match(gone?.reason ?? '', /^not ready after 5000 ms; /)
  assert.equal(gone?.expected, false)
  assert.equal(ofKind(events, 'crash-loop')[0]?.restarts, 2)
})

test('a slow starter is left alone until its start timeout', async () => {
  const { group, traffic, events, clock } = createMemoryGroup({
    replicas: 1,
    startTimeoutMs: 60_000,
  })
  traffic.readyAtOnce = false
  await group.start()

  await clock.advance(59_999)
  traffic.ready('web/Server 1')
  await clock.advance(60_000)

  assert.equal(group.replicas()[0]?.state, 'running')
  assert.equal(ofKind(events, 'gone').length, 0)
})

test('a port that somebody else took costs no death and no name', async () => {
  const { group, names, instance, traffic, events, settle } = createMemoryGroup({ replicas: 1 })
  traffic.readyAtOnce = false
  await group.start()

  instance('Server 1').die('exited with code 1', true)
  await settle()

  assert.deepEqual(names(), ['Server 1'])
  assert.deepEqual(
    group.replicas().map(({ id, restarts }) => [id, restarts]),
    [['web/Server 1~2', 0]],
  )
  assert.equal(ofKind(events, 'crash-loop').length, 0)
})

test('a port that is always taken becomes a crash loop', async () => {
  const { group, runtime, traffic, events, settle } = createMemoryGroup({ replicas: 1 })
  traffic.readyAtOnce = false
  await group.start()

  for (let starts = 0; starts < 7; starts++) {
    await settle()
    runtime.living[0]?.die('exited with code 1', true)
  }
  await settle()

  assert.equal(ofKind(events, 'crash-loop').length, 1)
})

test('a program that cannot be started fails the start, and is tried again', async () => {
  const { group, runtime, events, clock } = createMemoryGroup({ replicas: 1 })
  runtime.behave({ refuses: true })

  await assert.rejects(group.start(), { code: 'SPAWN_FAILED' })
  await clock.advance(0)
  assert.equal(ofKind(events, 'crash-loop').length, 1)
  assert.equal(ofKind(events, 'gone').length, 0)

  runtime.behave({})
  await clock.advance(500)
  assert.equal(group.replicas()[0]?.state, 'running')
})

test('a replica that is removed drains first, then is asked to end, then killed', async () => {
  const { group, traffic, runtime, instance, events, clock } = createMemoryGroup({
    replicas: 1,
    stopTimeoutMs: 3_000,
  })
  traffic.drainedAtOnce = false
  runtime.behave({ stubborn: true })
  await group.start()
  await clock.advance(0)
  const one = instance('Server 1')

  await group.remove(1, ['Server 1'])
  await clock.advance(1_000)
  assert.deepEqual([group.replicas()[0]?.state, one.signals], ['draining', []])
  assert.equal(ofKind(events, 'draining')[0]?.reason, '1 removed by hand')

  traffic.drained('web/Server 1')
  await clock.advance(2_999)
  assert.deepEqual([group.replicas()[0]?.state, one.signals], ['stopping', ['SIGTERM']])

  await clock.advance(1)
  assert.deepEqual(one.signals, ['SIGTERM', 'SIGKILL'])
  assert.deepEqual(group.replicas(), [])
  assert.equal(ofKind(events, 'gone')[0]?.expected, true)
})

test('draining has an end, whatever is still under way', async () => {
  const { group, traffic, instance, clock } = createMemoryGroup({
    replicas: 1,
    drainTimeoutMs: 30_000,
  })
  traffic.drainedAtOnce = false
  await group.start()
  await clock.advance(0)
  const one = instance('Server 1')
  await group.remove(1, [])

  await clock.advance(29_999)
  assert.deepEqual(one.signals, [])

  await clock.advance(1)
  assert.deepEqual(one.signals, ['SIGTERM'])
})

test('a draining replica that dies by itself is not replaced, and its end was not expected', async () => {
  const { group, traffic, instance, runtime, events, clock } = createMemoryGroup({ replicas: 1 })
  traffic.drainedAtOnce = false
  await group.start()
  await clock.advance(0)
  await group.remove(1, [])

  instance('Server 1').die()
  await clock.advance(0)

  assert.equal(ofKind(events, 'gone')[0]?.expected, false)
  assert.equal(runtime.living.length, 0)
})

test('stop ends all, also what is starting, and later calls are refused', async () => {
  const { group, runtime, events, clock, settle } = createMemoryGroup({ replicas: 2 })
  await group.start()
  await settle()
  const slow = Promise.withResolvers<void>()
  runtime.behave({ slow: slow.promise })
  const adding = group.add(1, ['late'])

  const stopping = group.stop()
  slow.resolve()
  await stopping
  await adding

  assert.equal(runtime.living.length, 0)
  assert.equal(clock.pending, 0)
  assert.deepEqual(group.replicas(), [])
  // Nobody heard that the late one began, so nobody is told that it ended.
  assert.deepEqual(
    ofKind(events, 'gone').map(({ replica, expected }) => [replica.name, expected]),
    [
      ['Server 1', true],
      ['Server 2', true],
    ],
  )
  await group.stop()
  await assert.rejects(group.scale(1, 'test'), { code: 'GROUP_STOPPED' })
})

test('a replica that does not answer is ended without draining while its successor starts', async () => {
  const { group, runtime, traffic, instance, names, events, settle } = createMemoryGroup({
    replicas: 1,
  })
  traffic.drainedAtOnce = false
  runtime.behave({ stubborn: true })
  await group.start()
  await settle()
  const silent = instance('Server 1')

  await group.replace('web/Server 1', 'no answer to 3 checks')
  await group.replace('web/Server 1', 'no answer to 4 checks')
  await settle()

  assert.deepEqual(silent.signals, ['SIGTERM'])
  assert.equal(names().length, 2)
  assert.equal(runtime.living.length, 2)
  assert.equal(ofKind(events, 'draining')[0]?.reason, 'no answer to 3 checks')

  silent.kill()
  await settle()
  const [gone] = ofKind(events, 'gone')
  assert.equal(gone?.expected, false)
  assert.equal(gone?.reason, 'no answer to 3 checks; was killed by SIGKILL')
  assert.equal(names().length, 1)
})

test('replacing one that is long gone does nothing', async () => {
  const { group, runtime, settle } = createMemoryGroup({ replicas: 1 })
  await group.start()
  await settle()

  await group.replace('web/Server 99', 'no answer')

  assert.equal(runtime.spawnedTotal, 1)
})

test('a listener that sends a replica away as it is told of it is obeyed', async () => {
  const { group, runtime, events, clock } = createMemoryGroup({
    replicas: 1,
    startTimeoutMs: 1_000,
  })
  runtime.behave({ stubborn: true })
  const push = events.push.bind(events)
  let removed: Promise<unknown> | undefined
  events.push = (event) => {
    if (event.kind === 'spawned') removed = group.replace(event.replica.id, 'unwanted')
    return push(event)
  }
  await group.start()
  events.push = push
  await removed
  await clock.advance(10_000)

  assert.equal(ofKind(events, 'gone')[0]?.reason, 'unwanted; was killed by SIGKILL')
  assert.equal(group.replicas().length, 1)
})

test('READY=1 as a line of standard output says that a replica is ready', async () => {
  const { group, instance, events } = createMemoryGroup({ replicas: 1 })
  await group.start()

  instance('Server 1').print('READY=1', 'stderr')
  instance('Server 1').print('x READY=1')
  assert.equal(ofKind(events, 'said-ready').length, 0)

  instance('Server 1').print('READY=1')
  instance('Server 1').order.onReady()
  assert.deepEqual(
    ofKind(events, 'said-ready').map(({ replica }) => replica.id),
    ['web/Server 1', 'web/Server 1'],
  )
})
