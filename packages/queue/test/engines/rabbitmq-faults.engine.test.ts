import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parseAddress, silentLog, systemClock } from '@drover/kernel'
import { Connection } from 'rabbitmq-client'
import { createCourseApi } from '../../src/course/course-api.ts'
import { createRabbitEngine } from '../../src/engines/rabbitmq.ts'
import { MemoryDisk } from '../../src/log/memory-disk.ts'
import type { QueueEngine } from '../../src/queue-engine.ts'
import { createRabbitServer, type RabbitServer } from './rabbit-server.ts'
import { eventually } from './server-process.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined) => new TextDecoder().decode(value)
const within = { timeout: 180_000 }

async function startEngine(context: TestContext, server: RabbitServer): Promise<QueueEngine> {
  const engine = createRabbitEngine({
    connection: { hostname: '127.0.0.1', port: server.port },
    clock: systemClock,
    log: silentLog,
  })
  context.after(() => engine.stop())
  await eventually(() => engine.start())
  return engine
}

test('one server, its faults and ours', within, async (context) => {
  const server = await createRabbitServer()
  context.after(() => server.close())
  server.start()
  const engine = await startEngine(context, server)

  await context.test('RabbitMQ itself buries a message whose attempts are used up', async () => {
    await engine.createTopic('poison', { attemptsMax: 2 })
    await engine.produce('poison', [{ value: bytes('bad'), key: 'k', headers: { a: 'b' } }])
    for (const attempt of [1, 2]) {
      const [lease] = await engine.lease('poison', { waitMs: 5_000 })
      assert.equal(lease?.attempt, attempt)
      await engine.nack([lease?.token ?? ''])
    }
    const [dead] = await engine.lease('poison.dead', { waitMs: 10_000 })
    assert.equal(text(dead?.record.value), 'bad')
    assert.deepEqual([dead?.record.key, dead?.record.headers], ['k', { a: 'b' }])
  })

  await context.test('a reason is kept with a message that is given up at once', async () => {
    await engine.createTopic('given-up')
    await engine.produce('given-up', [{ value: bytes('no') }])
    const [lease] = await engine.lease('given-up', { waitMs: 5_000 })
    await engine.nack([lease?.token ?? ''], { dead: true, reason: 'nobody wants it' })
    const [dead] = await engine.lease('given-up.dead', { waitMs: 10_000 })
    assert.equal(dead?.record.headers['drover-reason'], 'nobody wants it')
  })

  await context.test(
    'another engine sees the topics, and takes over what a stopped one held',
    async () => {
      const other = await startEngine(context, server)
      await engine.createTopic('shared')
      await eventually(async () =>
        assert.ok((await other.topics()).some(({ name }) => name === 'shared')),
      )
      await other.produce('shared', [{ value: bytes('held') }])
      const [held] = await other.lease('shared', { waitMs: 5_000 })
      assert.ok(held)
      await other.stop()
      const [again] = await engine.lease('shared', { waitMs: 10_000 })
      assert.equal(text(again?.record.value), 'held')
      assert.equal(again?.attempt, 2)
      assert.equal((await engine.ack([held.token]))[0]?.outcome, 'late')
      await assert.rejects(engine.ack(['nonsense']), { code: 'TOKEN_INVALID' })
    },
  )

  await context.test('what cannot be is refused, and nothing is stored', async () => {
    await engine.createTopic('strict')
    const refusedWith = (code: string, call: () => Promise<unknown>) =>
      assert.rejects(call, { code })
    const produce = (more: object) =>
      engine.produce('strict', [{ value: bytes('x') }, { value: bytes('y'), ...more }])
    await refusedWith('MESSAGE_TOO_LARGE', () => produce({ value: new Uint8Array(1_048_577) }))
    await refusedWith('PARTITION_UNKNOWN', () => produce({ partition: 1 }))
    await refusedWith('MESSAGE_INVALID', () => produce({ priority: -1 }))
    await refusedWith('FEATURE_MISSING', () => produce({ dedupeKey: 'k' }))
    for (const wish of [{ partitions: 2 }, { retentionMs: 5 }, { compact: true }, { rateMax: 1 }])
      await refusedWith('FEATURE_MISSING', () => engine.createTopic('more', wish))
    await refusedWith('FEATURE_MISSING', () => engine.nack([], { delayMs: 5 }))
    await refusedWith('OPTION_INVALID', () => engine.lease('strict', { leaseMs: 3_600_000 }))
    await refusedWith('TOPIC_UNKNOWN', () => engine.produce('none', [{ value: bytes('x') }]))
    assert.equal((await engine.counts('strict')).ready, 0)
  })

  await context.test(
    "the course's managers refuse an engine that cannot read by offset",
    async () => {
      const address = parseAddress('127.0.0.1:0')
      const api = createCourseApi({ engine, data: new MemoryDisk(), address, log: silentLog })
      await assert.rejects(api.start(), { code: 'FEATURE_MISSING' })
    },
  )

  await context.test('what no queue takes is refused, not confirmed', async () => {
    await engine.createTopic('unbound')
    const connection = new Connection({ hostname: '127.0.0.1', port: server.port })
    await connection.queueDelete({ queue: 'drover.unbound' })
    await connection.close()
    const messages = Array.from({ length: 300 }, (_, index) => ({ value: bytes(`${index}`) }))
    await assert.rejects(engine.produce('unbound', messages), { code: 'ENGINE_FAILED' })
    await assert.rejects(engine.produce('unbound', messages.slice(0, 1)), { code: 'ENGINE_FAILED' })
  })

  await context.test(
    'the server is killed as soon as a topic is made: the topic is there, and works',
    async () => {
      for (const topic of ['new-1', 'new-2', 'new-3']) {
        await eventually(() => engine.createTopic(topic))
        await server.end('SIGKILL')
        server.start()
        await eventually(() => engine.produce(topic, [{ value: bytes(topic) }]), 30_000)
        const [lease] = await eventually(() => engine.lease(topic, { waitMs: 5_000 }))
        assert.equal(text(lease?.record.value), topic)
      }
    },
  )

  await context.test(
    'the server is killed: what was confirmed is there, leases are late, all goes on',
    async () => {
      await engine.createTopic('survivors')
      const values = Array.from({ length: 50 }, (_, index) => `m${index}`)
      const messages = values.map((value) => ({ value: bytes(value) }))
      await eventually(() => engine.produce('survivors', messages))
      const [held] = await engine.lease('survivors', { waitMs: 5_000 })
      assert.ok(held)
      await server.end('SIGKILL')
      await assert.rejects(engine.counts('survivors'), { code: 'ENGINE_FAILED' })
      server.start()
      const seen = new Set<string>()
      await eventually(async () => {
        const leases = await engine.lease('survivors', { count: 60, waitMs: 1_000 })
        await engine.ack(leases.map(({ token }) => token))
        for (const { record } of leases) seen.add(text(record.value))
        assert.equal(seen.size, values.length)
      })
      assert.equal((await engine.ack([held.token]))[0]?.outcome, 'late')
      await engine.produce('survivors', [{ value: bytes('after') }])
      assert.equal((await engine.topics()).filter(({ name }) => name === 'survivors').length, 1)
    },
  )

  await context.test(
    'killed while messages come and go: none that was confirmed is lost',
    async () => {
      await eventually(() => engine.createTopic('stream-of-work', { attemptsMax: 1_000 }))
      const confirmed: string[] = []
      const done = new Set<string>()
      const traffic = new AbortController()
      const isLacking = () => confirmed.some((value) => !done.has(value))
      const produce = async (producer: number) => {
        for (let number = 0; !traffic.signal.aborted; number += 10) {
          const values = Array.from({ length: 10 }, (_, index) => `${producer}/${number + index}`)
          await engine
            .produce(
              'stream-of-work',
              values.map((value) => ({ value: bytes(value) })),
            )
            .then(
              () => confirmed.push(...values),
              () => delay(20),
            )
        }
      }
      const work = async () => {
        while (!traffic.signal.aborted || isLacking()) {
          const leases = await engine
            .lease('stream-of-work', { count: 50, waitMs: 500 })
            .catch(() => delay(20, []))
          await engine.ack(leases.map(({ token }) => token))
          for (const { record } of leases) done.add(text(record.value))
        }
      }
      const all = [produce(1), produce(2), work(), work()]
      for (let kill = 0; kill < 2; kill++) {
        const enough = confirmed.length + 500
        await eventually(async () => assert.ok(confirmed.length > enough))
        await server.end('SIGKILL')
        server.start()
      }
      const enough = confirmed.length + 500
      await eventually(async () => assert.ok(confirmed.length > enough))
      traffic.abort()
      await eventually(async () => assert.ok(!isLacking()))
      await Promise.all(all)
    },
  )
})
