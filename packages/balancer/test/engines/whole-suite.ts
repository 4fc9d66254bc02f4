import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seededRandom, silentLog, systemClock } from '@drover/kernel'
import { type Balancer, type BalancerEvent, createBalancer } from '../../src/balancer.ts'
import type { Model } from '../../src/model.ts'
import { defaultHealth } from '../../src/options.ts'
import { modelOf } from '../front-door.ts'
import { until } from '../until.ts'
import { ask, closeConnections, type Load, startLoad } from './client.ts'
import { startReplica, type TestReplica } from './replica.ts'
import type { EngineSubject } from './running.ts'

const soon = () => AbortSignal.timeout(10_000)
const check = { ...defaultHealth.check, intervalMs: 100, timeoutMs: 300 }
const quick: Model = modelOf({ health: { ...defaultHealth, check } })

/** A front door over an engine, with real replicas that are really checked. */
async function start(t: TestContext, subject: EngineSubject) {
  const balancer = createBalancer({
    engine: subject.create(),
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
  })
  const events: BalancerEvent[] = []
  balancer.on((event) => events.push(event))
  await balancer.start(quick)
  const list: TestReplica[] = []
  t.after(async () => {
    closeConnections()
    await balancer.stop(0)
    await Promise.all(list.map((replica) => replica.stop()))
  })
  const join = async (name: string): Promise<TestReplica> => {
    const replica = await startReplica(name)
    list.push(replica)
    const { id, host, port } = replica.plan
    balancer.addReplica('web', { id, name, host, port })
    await balancer.whenReady(id, soon())
    return replica
  }
  return { balancer, events, join, port: balancer.ports().front ?? 0 }
}

/** Waits until the load had many more answers. */
async function goOn(load: Load): Promise<void> {
  const { ok } = load
  await until('requests go on', () => load.ok > ok + 300)
}

async function leave(balancer: Balancer, replica: TestReplica): Promise<void> {
  balancer.drain(replica.plan.id, 'leaving')
  await balancer.whenDrained(replica.plan.id, soon())
  await replica.stop()
  balancer.replicaGone(replica.plan.id, 'stopped')
}

/** The control plane and an engine together. */
export function wholeSuite(subject: EngineSubject): void {
  test('loses no GET when a replica dies under load, and finds out by itself', async (t) => {
    const { balancer, events, join, port } = await start(t, subject)
    const [first] = await Promise.all(['a', 'b', 'c', 'd'].map(join))
    assert.ok(first)
    const load = startLoad(port, 32, subject.closesIdle)
    t.after(() => load.stop())
    await goOn(load)

    await first.stop()
    await until('it is out', () =>
      events.some(({ kind, ...event }) => {
        if (kind !== 'transition' || !('transition' in event)) return false
        return event.transition.replica === first.plan.id && event.transition.to === 'ejected'
      }),
    )
    await goOn(load)

    assert.deepEqual((await load.stop()).failed, [])
    const { services } = await balancer.status()
    assert.equal(services[0]?.available, 3)
  })

  test('loses no request while every replica is replaced, one after the other', async (t) => {
    const { balancer, join, port } = await start(t, subject)
    let old = await Promise.all(['a', 'b', 'c'].map(join))
    const load = startLoad(port, 16, subject.closesIdle)
    t.after(() => load.stop())

    for (const name of ['d', 'e', 'f', 'g', 'h', 'i']) {
      const next = await join(name)
      const [gone, ...rest] = old
      if (gone) await leave(balancer, gone)
      old = [...rest, next]
      await goOn(load)
    }

    assert.deepEqual((await load.stop()).failed, [])
  })

  test('loses no request while the configuration is taken up again and again', async (t) => {
    const { balancer, join, port } = await start(t, subject)
    await Promise.all(['a', 'b'].map(join))
    const load = startLoad(port, 16, subject.closesIdle)
    t.after(() => load.stop())

    for (let round = 0; round < 10; round++) {
      await balancer.apply({
        ...quick,
        services: quick.services.map((service) => ({ ...service, inFlightMax: 100 + round })),
      })
      await goOn(load)
    }

    assert.deepEqual((await load.stop()).failed, [])
  })

  test('a replica that hangs is found by its check, and told to be unfit', async (t) => {
    const { balancer, events, join } = await start(t, subject)
    await Promise.all(['a', 'b'].map(join))
    const hold = { ...check, path: '/hold', timeoutMs: 50 }

    await balancer.apply({
      ...quick,
      services: quick.services.map((service) => ({
        ...service,
        health: { ...service.health, check: hold },
      })),
    })

    await until('both are unfit', () => events.filter(({ kind }) => kind === 'unfit').length >= 2)
    assert.equal((await balancer.status()).services[0]?.panic, true)
  })
}

/** What only an engine with a queue of its own can do. */
export function waitingSuite(subject: EngineSubject): void {
  test('lets requests wait that come before the first replica is ready', async (t) => {
    const { balancer, join, port } = await start(t, subject)
    balancer.expectReplicas('web', 1)
    const early = Promise.all(Array.from({ length: 5 }, () => ask(port, '/')))
    await until('they wait', async () => (await balancer.status()).services[0]?.waiting === 5)

    await join('a')

    assert.deepEqual(
      (await early).map(({ status }) => status),
      [200, 200, 200, 200, 200],
    )
  })
}
