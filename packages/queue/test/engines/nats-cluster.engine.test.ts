import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parseAddress, silentLog, systemClock, systemRandom } from '@drover/kernel'
import { createCourseApi } from '../../src/course/course-api.ts'
import { createNatsEngine, type NatsEngineOptions } from '../../src/engines/nats.ts'
import { MemoryDisk } from '../../src/log/memory-disk.ts'
import type { QueueEngine } from '../../src/queue-engine.ts'
import { createNatsCluster, type NatsCluster } from './nats-server.ts'
import { eventually } from './server-process.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array) => new TextDecoder().decode(value)

async function startCluster(context: TestContext, count: number): Promise<NatsCluster> {
  const cluster = await createNatsCluster(count)
  context.after(() => cluster.close())
  for (let index = 0; index < count; index++) cluster.start(index)
  return cluster
}

async function startEngine(
  context: TestContext,
  { servers }: NatsCluster,
  options: Partial<NatsEngineOptions> = {},
): Promise<QueueEngine> {
  const engine = createNatsEngine({
    connection: { servers: [...servers] },
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...options,
  })
  context.after(() => engine.stop())
  await eventually(() => engine.start())
  return engine
}

const within = { timeout: 120_000 }

test(
  'a node of three is killed while messages come and go: none is lost, each partition in order',
  within,
  async (context) => {
    const cluster = await startCluster(context, 3)
    const engine = await startEngine(context, cluster, { replicas: 3 })
    const topic = 'orders'
    await eventually(() =>
      engine.createTopic(topic, { partitions: 3, backoff: { firstMs: 0, mostMs: 0 } }),
    )
    const acknowledged: string[][] = [[], [], []]
    const total = 120
    const produce = async (partition: number, value: string) => {
      await eventually(() => engine.produce(topic, [{ value: bytes(value), partition }]))
      acknowledged[partition]?.push(value)
    }

    for (let number = 0; number < total; number++) {
      if (number === 40) await cluster.end(0, 'SIGKILL')
      await Promise.all([0, 1, 2].map((partition) => produce(partition, `${partition}/${number}`)))
    }
    cluster.start(0)

    for (const partition of [0, 1, 2]) {
      const { records } = await eventually(() => engine.fetch(topic, partition, 'earliest'))
      const values = records.map((record) => text(record.value))
      // A call whose answer was lost was repeated: then the message is there twice, one after the other.
      assert.deepEqual([...new Set(values)], acknowledged[partition])
    }
    const done = new Set<string>()
    await eventually(async () => {
      const leases = await engine.lease(topic, { count: 100, waitMs: 2_000 })
      const outcomes = await engine.ack(leases.map(({ token }) => token))
      for (const [index, { outcome }] of outcomes.entries())
        if (outcome === 'done') done.add(text(leases[index]?.record.value ?? bytes('')))
      assert.equal(done.size, 3 * total)
    })
  },
)

test(
  'what a dead process held is handed out again, and its own acks are late',
  within,
  async (context) => {
    const cluster = await startCluster(context, 1)
    const dead = await startEngine(context, cluster, { silenceMs: 1_500 })
    const alive = await startEngine(context, cluster, { silenceMs: 1_500 })
    await eventually(() => dead.createTopic('t', { partitions: 2 }))
    await dead.produce('t', [{ value: bytes('held') }])
    const [held] = await dead.lease('t', { leaseMs: 60_000, waitMs: 5_000 })

    const whileHeld = await alive.lease('t', { waitMs: 2_500 })
    await dead.stop()
    const [again] = await alive.lease('t', { waitMs: 10_000 })

    assert.equal(text(held?.record.value ?? bytes('')), 'held')
    assert.deepEqual(whileHeld, [])
    assert.equal(text(again?.record.value ?? bytes('')), 'held')
    assert.equal(again?.attempt, 2)
    await assert.rejects(dead.ack([held?.token ?? '']), { code: 'BROKER_STOPPED' })
    assert.equal((await alive.ack([held?.token ?? '']))[0]?.outcome, 'late')
    await assert.rejects(alive.ack(['nonsense']), { code: 'TOKEN_INVALID' })
  },
)

test(
  'every group gets every message, and partitions keep keys together',
  within,
  async (context) => {
    const cluster = await startCluster(context, 1)
    const engine = await startEngine(context, cluster)
    await engine.createTopic('t.dotted:name', { partitions: 4 })
    const receipts = await engine.produce(
      't.dotted:name',
      Array.from({ length: 40 }, (_, index) => ({
        value: bytes(`m${index}`),
        key: `k${index % 5}`,
      })),
    )

    const partitionsOf = new Map<string, Set<number>>()
    for (const [index, { partition }] of receipts.entries()) {
      const key = `k${index % 5}`
      partitionsOf.set(key, (partitionsOf.get(key) ?? new Set()).add(partition))
    }
    assert.ok([...partitionsOf.values()].every((set) => set.size === 1))
    for (const group of ['workers', 'audit']) {
      const leases = await engine.lease('t.dotted:name', { group, count: 100, waitMs: 5_000 })
      assert.equal(new Set(leases.map(({ record }) => text(record.value))).size, 40)
      await engine.ack(leases.map(({ token }) => token))
    }
    assert.deepEqual(
      (await engine.topics()).map(({ name, partitions }) => [name, partitions]),
      [['t.dotted:name', 4]],
    )
    assert.equal(await engine.addPartitions('t.dotted:name', 2), 6)
    assert.equal((await engine.bounds('t.dotted:name')).length, 6)
  },
)

test('what cannot be is refused, and nothing is stored', within, async (context) => {
  const cluster = await startCluster(context, 1)
  const engine = await startEngine(context, cluster)
  await engine.createTopic('t', { partitions: 1 })
  const refusedWith = (code: string, call: () => Promise<unknown>) => assert.rejects(call, { code })

  await refusedWith('MESSAGE_TOO_LARGE', () =>
    engine.produce('t', [{ value: bytes('small') }, { value: new Uint8Array(1_048_577) }]),
  )
  await refusedWith('MESSAGE_TOO_LARGE', () =>
    engine.produce('t', [{ value: new Uint8Array(1_048_000), headers: { a: 'ü'.repeat(200) } }]),
  )
  await refusedWith('PARTITION_UNKNOWN', () =>
    engine.produce('t', [{ value: bytes('x') }, { value: bytes('y'), partition: 1 }]),
  )
  await refusedWith('MESSAGE_INVALID', () =>
    engine.produce('t', [{ value: bytes('x'), priority: 10 }]),
  )
  await refusedWith('FEATURE_MISSING', () => engine.createTopic('c', { compact: true }))
  await refusedWith('FEATURE_MISSING', () => engine.createTopic('c', { rateMax: 5 }))
  await refusedWith('NAME_INVALID', () => engine.createTopic('t'.repeat(201)))
  await refusedWith('OPTION_INVALID', () => engine.createTopic('c', { partitions: 0 }))
  await refusedWith('OPTION_INVALID', () => engine.lease('t', { count: 0 }))
  await refusedWith('NAME_INVALID', () => engine.lease('t', { group: 'a*b' }))
  await refusedWith('TOPIC_UNKNOWN', () => engine.lease('none'))
  assert.equal((await engine.bounds('t'))[0]?.endOffset, 0)
  assert.deepEqual(
    (await engine.topics()).map(({ name }) => name),
    ['t'],
  )
})

test("the course's managers run over it, and go on after a restart", within, async (context) => {
  const cluster = await startCluster(context, 1)
  const engine = await startEngine(context, cluster)
  const disk = new MemoryDisk()
  const options = { engine, data: disk, address: parseAddress('127.0.0.1:0'), log: silentLog }
  let api = createCourseApi(options)
  await api.start()
  context.after(() => api.stop())
  const ask = async (path: string, body?: unknown) => {
    const post = { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`http://${api.primary}${path}`, body === undefined ? {} : post)
    return (await response.json()) as { message: unknown; topic?: string }
  }
  for (const part of ['P1', 'P2']) await ask('/topics/add', { topic: 'T1', part })
  await ask('/producer/register', { topic: 'T1' })
  await ask('/consumer/register', { topic: 'T1' })
  for (const message of ['a', 'b', 'c']) await ask('/producer/produce', { producer_id: 0, message })
  const first = await ask('/consumer/consume?consumer_id=0')
  await api.stop()
  api = createCourseApi(options)
  await api.start()

  const second = await ask('/consumer/consume?consumer_id=0')

  assert.deepEqual([first.message, second.message], ['a', 'b'])
  assert.equal((await ask('/size?consumer_id=0')).message, 1)
  assert.deepEqual((await ask('/topics')).message, { T1: { P1: 'broker0', P2: 'broker0' } })
  assert.match(
    String((await ask('/brokers/test?broker_name=broker0')).message),
    /All test cases are passed/,
  )
  assert.match(
    String((await ask('/brokers/add?broker_name=broker1')).message),
    /not Drover's to change/,
  )
})
