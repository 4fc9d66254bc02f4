import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultHealth } from '../src/options.ts'
import { modelOf, pathOf, quickHealth, startFrontDoor } from './front-door.ts'

const soon = () => AbortSignal.timeout(5_000)

test('a new replica gets requests only after its first passed check', async () => {
  const { add, answers, clock, engine, balancer } = await startFrontDoor()
  answers.set(1, 'broken')
  add('a', 1)
  await clock.advance(300)
  assert.deepEqual(engine.served(), [])
  assert.equal(engine.plans.at(-1)?.services[0]?.expected, 1)

  answers.set(1, 'well')
  await clock.advance(100)

  assert.deepEqual(engine.served(), ['web/a'])
  assert.equal(engine.plans.at(-1)?.services[0]?.expected, 0)
  await balancer.stop(0)
})

test('whoever expects replicas lets requests wait for them', async () => {
  const { balancer, engine, add, clock } = await startFrontDoor()

  balancer.expectReplicas('web', 3)
  add('a', 1)
  await clock.advance(10)

  assert.equal(engine.plans.at(-1)?.services[0]?.expected, 2)
})

test('the very first plan lets requests wait for the replicas that are coming', async () => {
  const address = { host: '127.0.0.1', port: 9, weight: 1 }
  const { engine, balancer } = await startFrontDoor(
    modelOf({ addresses: [address], expectedReplicas: 3 }),
  )

  assert.equal(engine.plans[0]?.services[0]?.expected, 4)
  await balancer.stop(0)
})

test('whenReady resolves once the engine has the replica, not before', async () => {
  const { balancer, engine, add, clock } = await startFrontDoor()
  let open = () => {}
  engine.gate = new Promise((resolve) => {
    open = resolve
  })
  add('a', 1)
  let ready = false
  const waiting = balancer.whenReady('web/a', soon()).then(() => {
    ready = true
  })
  await clock.advance(100)
  assert.equal(ready, false)

  open()
  await waiting

  assert.deepEqual(engine.served(), ['web/a'])
})

test('whenReady rejects when the replica ends or the caller gives up', async () => {
  const { balancer, add, answers } = await startFrontDoor()
  answers.set(1, 'closed')
  add('a', 1)
  const ended = assert.rejects(
    balancer.whenReady('web/a', soon()),
    /ended before it was ready: boom/,
  )
  const stop = new AbortController()
  const given = assert.rejects(balancer.whenReady('web/a', stop.signal), /enough/)

  stop.abort(new Error('enough'))
  balancer.replicaGone('web/a', 'boom')

  await ended
  await given
  await assert.rejects(balancer.whenReady('web/b', soon()), { code: 'UNKNOWN_REPLICA' })
})

test('a replica that is gone leaves the plan at once', async () => {
  const { balancer, engine, add, clock } = await startFrontDoor()
  add('a', 1)
  add('b', 2)
  await clock.advance(10)

  balancer.replicaGone('web/a', 'killed')
  await clock.advance(0)

  assert.deepEqual(engine.served(), ['web/b'])
  const status = await balancer.status()
  assert.equal(status.services[0]?.past[0]?.reason, 'killed')
})

test('a refused connection has the replica checked at once, and out when its port is closed', async () => {
  const { engine, add, answers, clock, events } = await startFrontDoor()
  add('a', 1)
  add('b', 2)
  await clock.advance(10)
  answers.set(1, 'closed')

  engine.tell({ kind: 'failed', replica: 'web/a', reason: 'connect ECONNREFUSED', refused: true })
  await clock.advance(0)

  assert.deepEqual(engine.served(), ['web/b'])
  assert.equal(pathOf(events, 'web/a'), 'ready suspect ejected')
})

test('requests that fail in a row eject, for a time', async () => {
  const { engine, add, clock, events } = await startFrontDoor(modelOf({ health: quickHealth }))
  add('a', 1)
  add('b', 2)
  await clock.advance(10)

  for (let failed = 0; failed < 5; failed++)
    engine.tell({ kind: 'failed', replica: 'web/a', reason: 'reset' })
  await clock.advance(4_900)
  assert.deepEqual(engine.served(), ['web/b'])
  await clock.advance(1_500)

  assert.deepEqual(engine.served(), ['web/a', 'web/b'])
  assert.equal(pathOf(events, 'web/a'), 'ready suspect ejected ready')
})

test('failed requests never eject more than the share that may be out', async () => {
  const { engine, add, clock } = await startFrontDoor()
  for (const port of [1, 2, 3, 4]) add(`r${port}`, port)
  await clock.advance(10)

  for (const port of [1, 2, 3, 4])
    for (let failed = 0; failed < 9; failed++)
      engine.tell({ kind: 'failed', replica: `web/r${port}`, reason: 'reset' })
  await clock.advance(0)

  assert.equal(engine.served().length, 2)
})

test('a supervised replica that fails its heartbeat is told to be unfit', async () => {
  const { add, answers, clock, events, engine } = await startFrontDoor(
    modelOf({ health: quickHealth }),
  )
  add('a', 1)
  add('b', 2)
  await clock.advance(10)
  answers.set(1, 'broken')

  await clock.advance(2_000)

  assert.deepEqual(engine.served(), ['web/b'])
  const unfit = events.filter(({ kind }) => kind === 'unfit')
  assert.deepEqual(unfit[0], {
    kind: 'unfit',
    service: 'web',
    replica: 'web/a',
    reason: '3 checks failed in a row: broken',
  })
})

test('when all are ejected they are used all the same, but not those whose port is closed', async () => {
  const { add, answers, clock, engine, balancer } = await startFrontDoor(
    modelOf({ health: quickHealth }),
  )
  add('a', 1)
  add('b', 2)
  add('c', 3)
  await clock.advance(10)
  answers.set(1, 'broken').set(2, 'broken').set(3, 'closed')

  await clock.advance(3_000)

  assert.deepEqual(engine.served(), ['web/a', 'web/b'])
  assert.equal((await balancer.status()).services[0]?.panic, true)
})

test('a fixed address that never answered keeps nobody from using the ejected', async () => {
  const addressAt = (port: number) => ({ host: '127.0.0.1', port, weight: 1 })
  const door = await startFrontDoor(
    modelOf({ health: quickHealth, addresses: [addressAt(1), addressAt(2)] }),
  )
  const { add, answers, clock, engine, balancer } = door
  answers.set(1, 'well')
  await clock.advance(1_000)
  assert.deepEqual(engine.served(), ['web/127.0.0.1:1'])

  answers.set(1, 'broken')
  await clock.advance(6_000)
  assert.deepEqual(engine.served(), ['web/127.0.0.1:1'])
  assert.equal((await balancer.status()).services[0]?.panic, true)

  answers.set(3, 'closed')
  add('coming', 3)
  await clock.advance(100)
  assert.deepEqual(engine.served(), [])
  await balancer.stop(0)
})

test('a draining replica stays in the plan until it has ended', async () => {
  const { balancer, engine, add, clock } = await startFrontDoor()
  add('a', 1)
  add('b', 2)
  await clock.advance(10)

  balancer.drain('web/a', 'rolling restart')
  const drained = balancer.whenDrained('web/a', soon())
  await clock.advance(0)
  assert.equal(engine.plans.at(-1)?.services[0]?.replicas[0]?.draining, true)
  engine.tell({ kind: 'drained', replica: 'web/a' })
  await drained
  balancer.replicaGone('web/a', 'stopped')
  await clock.advance(0)

  assert.deepEqual(
    engine.plans.at(-1)?.services[0]?.replicas.map(({ id }) => id),
    ['web/b'],
  )
})

test('whenDrained does not wait for what never had a request, is unknown, or is given up', async () => {
  const { balancer, add, answers, clock } = await startFrontDoor()
  answers.set(1, 'closed')
  add('a', 1)
  add('b', 2)
  await clock.advance(10)

  balancer.drain('web/a', 'asked')
  await balancer.whenDrained('web/a', soon())
  await balancer.whenDrained('web/unknown', soon())
  balancer.drain('web/b', 'asked')
  await balancer.whenDrained('web/b', AbortSignal.abort())
})

test('a drained replica can be resumed, and is checked first', async () => {
  const { balancer, engine, add, clock, events } = await startFrontDoor()
  add('a', 1)
  await clock.advance(10)

  balancer.drain('web/a', 'asked')
  await clock.advance(0)
  assert.deepEqual(engine.served(), [])
  balancer.resume('web/a', 'asked')
  await clock.advance(10)

  assert.deepEqual(engine.served(), ['web/a'])
  assert.equal(pathOf(events, 'web/a'), 'ready draining checking ready')
})

test('slow start raises the weight step by step while others carry the rest', async () => {
  const slowStart = { windowMs: 10_000, leastShare: 0.1 }
  const { engine, add, clock } = await startFrontDoor(
    modelOf({ health: { ...defaultHealth, slowStart } }),
  )
  add('a', 1)
  await clock.advance(10)
  add('b', 2, 2)
  await clock.advance(10)
  const weights = () =>
    engine.plans.at(-1)?.services[0]?.replicas.map(({ weight }) => Math.round(weight * 10) / 10)
  assert.deepEqual(weights(), [1, 0.2])

  await clock.advance(5_000)
  assert.deepEqual(weights(), [1, 1])
  await clock.advance(6_000)

  assert.deepEqual(weights(), [1, 2])
  const plans = engine.plans.length
  await clock.advance(60_000)
  assert.equal(engine.plans.length, plans)
})

test('a policy that hashes has no slow start, since keys would move', async () => {
  const { engine, add, clock } = await startFrontDoor(
    modelOf({
      policy: { name: 'ring', key: { from: 'client' }, options: {} },
      health: { ...defaultHealth, slowStart: { windowMs: 10_000, leastShare: 0.1 } },
    }),
  )
  add('a', 1)
  await clock.advance(10)

  add('b', 2)
  await clock.advance(10)

  assert.deepEqual(
    engine.plans.at(-1)?.services[0]?.replicas.map(({ weight }) => weight),
    [1, 1],
  )
})

test('unknown services and replicas are named in the fault', async () => {
  const { balancer } = await startFrontDoor()

  assert.throws(() => balancer.drain('web/x', ''), { code: 'UNKNOWN_REPLICA', message: /web\/x/ })
  assert.throws(() => balancer.expectReplicas('wbe', 1), {
    code: 'UNKNOWN_SERVICE',
    message: 'unknown service wbe; known are web',
  })
})

test('status tells states with their reasons, rates and weights', async () => {
  const { balancer, engine, add, clock } = await startFrontDoor()
  balancer.expectReplicas('web', 1)
  add('a', 1, 2)
  await clock.advance(10)
  for (let second = 0; second < 8; second++) {
    engine.requestsTotal += 50
    await clock.advance(1_000)
  }

  const { engine: name, listeners, services } = await balancer.status()

  assert.equal(name, 'builtin')
  assert.equal(listeners[0]?.port, 5000)
  assert.equal(services[0]?.expected, 1)
  assert.equal(services[0]?.available, 1)
  const replica = services[0]?.replicas[0]
  assert.equal(replica?.state, 'ready')
  assert.match(replica?.reason ?? '', /1 check passed/)
  assert.equal(replica?.effectiveWeight, 2)
  assert.equal(Math.round(replica?.requestsPerSecond ?? 0), 50)
  assert.deepEqual(
    replica?.history.map(({ to }) => to),
    ['ready'],
  )
})

test('a front door that has stopped leaves no timer', async () => {
  const { balancer, engine, add, clock } = await startFrontDoor()
  add('a', 1)
  await clock.advance(100)

  await balancer.stop(1_000)
  await balancer.stop(1_000)

  assert.equal(engine.stopped, true)
  assert.equal(clock.pending, 0)
})
