import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultHealth, defaultService } from '../src/options.ts'
import { modelOf, pathOf, startFrontDoor } from './front-door.ts'

test('a reload keeps replicas and their health', async () => {
  const { balancer, engine, add, clock, events } = await startFrontDoor()
  add('a', 1)
  await clock.advance(10)
  balancer.setWeight('web/a', 3)

  await balancer.apply(modelOf({ inFlightMax: 7 }))
  await clock.advance(10)

  assert.deepEqual(engine.served(), ['web/a'])
  assert.equal(engine.plans.at(-1)?.services[0]?.inFlightMax, 7)
  assert.equal(engine.plans.at(-1)?.services[0]?.replicas[0]?.weight, 3)
  assert.equal(pathOf(events, 'web/a'), 'ready')
})

test('a reload with another check asks at once, without taking anybody out before', async () => {
  const { balancer, engine, add, clock, answers, events } = await startFrontDoor()
  add('a', 1)
  await clock.advance(10)
  answers.set(1, 'broken')

  const check = { ...defaultHealth.check, path: '/other', fall: 1 }
  await balancer.apply(modelOf({ health: { ...defaultHealth, check, panicShare: 0 } }))
  assert.deepEqual(engine.served(), ['web/a'])
  await clock.advance(1)

  assert.equal(pathOf(events, 'web/a'), 'ready suspect ejected')
})

test('a bad model is refused whole, and the old one stays', async () => {
  const { balancer, engine, add, clock } = await startFrontDoor()
  add('a', 1)
  await clock.advance(10)
  const plans = engine.plans.length
  const bad = modelOf({ name: 'api' } as object)

  await assert.rejects(balancer.apply(bad), {
    code: 'PLAN_REFUSED',
    message: /route all names the service web, which is not there; known are api/,
  })

  await clock.advance(10_000)
  assert.equal(engine.plans.length, plans)
  assert.equal((await balancer.status()).services[0]?.name, 'web')
})

test('what the engine refuses is refused, and the old model stays', async () => {
  const { balancer, engine, add, clock } = await startFrontDoor()
  engine.refusal = 'port 80 is taken'

  await assert.rejects(balancer.apply(modelOf({ inFlightMax: 7 })), /port 80 is taken/)

  engine.refusal = undefined
  add('a', 1)
  await clock.advance(10)
  assert.equal(engine.plans.at(-1)?.services[0]?.inFlightMax, 0)
})

test('a plan that the engine did not take comes again, as it is by then', async () => {
  const { engine, add, clock, events, balancer } = await startFrontDoor()
  engine.refusal = 'busy'
  add('a', 1)
  await clock.advance(10)
  assert.ok(events.some(({ kind }) => kind === 'trouble'))

  engine.refusal = undefined
  await clock.advance(60_000)

  assert.deepEqual(engine.served(), ['web/a'])
  await balancer.stop(0)
})

test('plans are brought one at a time, and changes meanwhile go together', async () => {
  const { engine, add, clock } = await startFrontDoor()
  let open = () => {}
  engine.gate = new Promise((resolve) => {
    open = resolve
  })
  for (const port of [1, 2, 3, 4, 5]) {
    add(`r${port}`, port)
    await clock.advance(20)
  }
  const before = engine.plans.length

  open()
  await clock.advance(10)

  assert.ok(engine.plans.length - before <= 2, `${engine.plans.length - before} plans`)
  assert.equal(engine.served().length, 5)
})

test('the policy of a service changes while it runs, until the next reload', async () => {
  const { balancer, engine } = await startFrontDoor()
  const key = { from: 'client' } as const

  await balancer.setPolicy('web', { name: 'maglev', key, options: {} })
  assert.equal(engine.plans.at(-1)?.services[0]?.policy.name, 'maglev')
  await assert.rejects(balancer.setPolicy('web', { name: 'ring', key, options: { nodes: 3 } }), {
    code: 'PLAN_REFUSED',
  })
  await balancer.apply(modelOf())

  assert.equal(engine.plans.at(-1)?.services[0]?.policy.name, 'round-robin')
})

test('a service that leaves the configuration takes its replicas along', async () => {
  const { balancer, engine, add, clock, events } = await startFrontDoor()
  add('a', 1)
  await clock.advance(10)
  const model = modelOf()
  const other = {
    ...model,
    listeners: [{ ...model.listeners[0], routes: [] }] as typeof model.listeners,
    services: [defaultService('other')],
  }

  await balancer.apply(other)
  await clock.advance(5_000)

  assert.deepEqual(engine.served(), [])
  assert.equal(pathOf(events, 'web/a'), 'ready stopped')
})

test('fixed addresses come and go with the model', async () => {
  const one = { host: '127.0.0.1', port: 1, weight: 1 }
  const two = { name: 'second', host: '127.0.0.1', port: 2, weight: 5 }
  const { balancer, engine, clock, answers } = await startFrontDoor(modelOf({ addresses: [one] }))
  answers.set(1, 'well').set(2, 'well')
  await clock.advance(100)
  assert.deepEqual(engine.served(), ['web/127.0.0.1:1'])

  await balancer.apply(modelOf({ addresses: [two] }))
  await clock.advance(100)

  assert.deepEqual(engine.served(), ['web/second'])
})

test('a host name is a replica for each of its addresses, asked again now and then', async () => {
  const model = modelOf({ addresses: [{ host: 'web.test', port: 1, weight: 1 }] })
  const { engine, clock, answers, names } = await startFrontDoor(model)
  answers.set(1, 'well')
  await clock.advance(100)
  assert.deepEqual(engine.served(), [])

  names.set('web.test', ['10.0.0.1', '10.0.0.2'])
  await clock.advance(30_100)
  assert.deepEqual(engine.served(), ['web/web.test:1@10.0.0.1', 'web/web.test:1@10.0.0.2'])
  names.set('web.test', ['10.0.0.2'])
  await clock.advance(30_100)

  assert.deepEqual(engine.served(), ['web/web.test:1@10.0.0.2'])
  names.delete('web.test')
  await clock.advance(30_100)
  assert.equal(engine.served().length, 1)
})
