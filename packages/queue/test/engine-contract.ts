import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Feature, Lease, QueueEngine } from '../src/queue-engine.ts'

/** What the suite needs of an engine under test. */
export interface EngineUnderTest {
  readonly engine: QueueEngine
  /** Stops the engine and starts it again over the same storage; the new one is used from then on. */
  restart(): Promise<QueueEngine>
  close(): Promise<void>
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array) => new TextDecoder().decode(value)
/** Waits for something that comes by itself, such as a dead letter; fails after 10 s. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + 10_000
  while (!(await holds())) {
    assert.ok(Date.now() < endsAt, 'nothing came in 10 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const textOf = (lease: Lease) => text(lease.record.value)

/**
 * The same tests for every engine. `open` starts an empty one; `lacks` must be exactly what the engine
 * says it lacks, and each such feature is tested to be refused with FEATURE_MISSING.
 */
export function testEngine(
  name: string,
  open: () => Promise<EngineUnderTest>,
  lacks: readonly Feature[] = [],
): void {
  describe(`engine ${name}`, () => {
    let under: EngineUnderTest
    let engine: QueueEngine
    let count = 0
    const has = (feature: Feature) => !lacks.includes(feature)
    const newTopic = async (options = {}) => {
      const topic = `t${process.pid}-${++count}`
      await engine.createTopic(topic, { partitions: 1, ...options })
      return topic
    }
    const send = (topic: string, ...values: string[]) =>
      engine.produce(
        topic,
        values.map((value) => ({ value: bytes(value) })),
      )
    const isFault = (code: string) => (error: unknown) => (error as { code?: string }).code === code
    const refused = (call: () => Promise<unknown>) =>
      assert.rejects(call, isFault('FEATURE_MISSING'))

    before(async () => {
      under = await open()
      engine = under.engine
    })
    after(() => under.close())

    it('says what it lacks', () => {
      assert.deepEqual([...engine.lacks].sort(), [...lacks].sort())
    })

    it('makes, lists and deletes topics, and refuses what cannot be', async () => {
      const topic = await newTopic()
      assert.ok((await engine.topics()).some((one) => one.name === topic))
      await assert.rejects(() => engine.createTopic(topic), isFault('TOPIC_EXISTS'))
      await assert.rejects(() => engine.createTopic('a b'), isFault('NAME_INVALID'))
      await assert.rejects(() => engine.createTopic('../x'), isFault('NAME_INVALID'))
      await engine.deleteTopic(topic)
      assert.ok(!(await engine.topics()).some((one) => one.name === topic))
      await assert.rejects(() => send(topic, 'x'), isFault('TOPIC_UNKNOWN'))
      await assert.rejects(() => engine.deleteTopic(topic), isFault('TOPIC_UNKNOWN'))
    })

    it('hands each message to one worker, in order, with everything it carries', async () => {
      const topic = await newTopic()
      await engine.produce(topic, [
        { value: bytes('one'), key: 'k', headers: { colour: 'red', 'x-é': 'ü' } },
        { value: bytes('') },
      ])
      const first = await engine.lease(topic, { count: 1, waitMs: 5_000 })
      const second = await engine.lease(topic, { count: 5, waitMs: 5_000 })
      assert.deepEqual([...first, ...second].map(textOf), ['one', ''])
      assert.equal(first[0]?.record.key, 'k')
      assert.equal(first[0]?.record.headers.colour, 'red')
      assert.equal(first[0]?.record.headers['x-é'], 'ü')
      assert.equal(first[0]?.attempt, 1)
      const tokens = [...first, ...second].map((lease) => lease.token)
      const outcomes = await engine.ack(tokens)
      assert.deepEqual(
        outcomes.map((one) => one.outcome),
        ['done', 'done'],
      )
      assert.deepEqual(await engine.lease(topic, { count: 5 }), [])
    })

    it('gives every group of workers every message', async () => {
      const topic = await newTopic()
      await send(topic, 'a', 'b')
      const take = async (group: string) => {
        const leases = await engine.lease(topic, { group, count: 5, waitMs: 5_000 })
        await engine.ack(leases.map((lease) => lease.token))
        return leases.map(textOf)
      }
      if (!has('work-groups')) return refused(() => take('audit'))
      assert.deepEqual(await take('workers'), ['a', 'b'])
      assert.deepEqual(await take('audit'), ['a', 'b'])
      assert.deepEqual(await engine.lease(topic, { group: 'audit', count: 5 }), [])
    })

    it('waits for the first message, and gives up when the signal says so', async () => {
      const topic = await newTopic()
      const waiting = engine.lease(topic, { waitMs: 20_000 })
      await send(topic, 'late')
      assert.deepEqual((await waiting).map(textOf), ['late'])
      const stop = new AbortController()
      const given = engine.lease(topic, { waitMs: 20_000 }, stop.signal)
      stop.abort()
      await assert.rejects(given)
    })

    it('hands a nacked message out again and counts the attempts', async () => {
      const topic = await newTopic({ backoff: { firstMs: 0, mostMs: 0 } })
      await send(topic, 'again')
      const [first] = await engine.lease(topic, { waitMs: 5_000 })
      assert.ok(first)
      await engine.nack([first.token])
      const [second] = await engine.lease(topic, { waitMs: 5_000 })
      assert.equal(second?.attempt, 2)
      assert.equal(second && textOf(second), 'again')
      assert.ok(second)
      await engine.ack([second.token])
    })

    it('moves a message to the dead-letter topic after its attempts', async () => {
      const topic = await newTopic({ attemptsMax: 2, backoff: { firstMs: 0, mostMs: 0 } })
      await send(topic, 'poison')
      for (const attempt of [1, 2]) {
        const [lease] = await engine.lease(topic, { waitMs: 5_000 })
        assert.equal(lease?.attempt, attempt)
        assert.ok(lease)
        await engine.nack([lease.token], { reason: 'does not parse' })
      }
      await until(async () => (await engine.topics()).some((one) => one.name === `${topic}.dead`))
      const [dead] = await engine.lease(`${topic}.dead`, { waitMs: 10_000 })
      assert.equal(dead && textOf(dead), 'poison')
      assert.ok(dead)
      await engine.ack([dead.token])
      assert.deepEqual(await engine.lease(topic), [])
    })

    it('hands a message out again when its lease ends, and refuses the late ack', async () => {
      const topic = await newTopic({ backoff: { firstMs: 0, mostMs: 0 } })
      await send(topic, 'slow')
      const [first] = await engine.lease(topic, { leaseMs: 1_000, waitMs: 5_000 })
      const [second] = await engine.lease(topic, { waitMs: 20_000 })
      assert.ok(first && second)
      assert.equal(textOf(second), 'slow')
      assert.equal(second.attempt, 2)
      assert.equal((await engine.ack([first.token]))[0]?.outcome, 'late')
      assert.equal((await engine.ack([second.token]))[0]?.outcome, 'done')
    })

    it('counts, and purges what waits', async () => {
      const topic = await newTopic()
      await send(topic, 'a', 'b', 'c')
      const [held] = await engine.lease(topic, { waitMs: 5_000 })
      assert.ok(held)
      const counts = await engine.counts(topic)
      assert.equal(counts.ready, 2)
      assert.equal(counts.leased, 1)
      await engine.ack([held.token])
      await engine.purge(topic)
      assert.deepEqual(await engine.lease(topic, { count: 5 }), [])
    })

    it('keeps messages over a restart', async () => {
      const topic = await newTopic()
      await send(topic, 'kept', 'too')
      engine = await under.restart()
      const leases = await engine.lease(topic, { count: 2, waitMs: 10_000 })
      assert.deepEqual(leases.map(textOf), ['kept', 'too'])
      await engine.ack(leases.map((lease) => lease.token))
      engine = await under.restart()
      assert.deepEqual(await engine.lease(topic), [])
    })

    it('reads by offset from anywhere, again and again', async () => {
      const topic = await newTopic()
      if (!has('replay'))
        return refused(() => engine.fetch(topic, 0, 'earliest').then(() => undefined))
      const receipts = await send(topic, 'a', 'b', 'c')
      assert.deepEqual(
        receipts.map((one) => one.offset),
        [0, 1, 2],
      )
      const all = await engine.fetch(topic, 0, 'earliest')
      assert.deepEqual(
        all.records.map((one) => text(one.value)),
        ['a', 'b', 'c'],
      )
      assert.equal(all.nextOffset, 3)
      const last = await engine.fetch(topic, 0, { offset: 2 })
      assert.deepEqual(
        last.records.map((one) => text(one.value)),
        ['c'],
      )
      assert.deepEqual((await engine.fetch(topic, 0, 'latest')).records, [])
      await assert.rejects(
        () => engine.fetch(topic, 0, { offset: 9 }),
        isFault('OFFSET_OUT_OF_RANGE'),
      )
      await assert.rejects(() => engine.fetch(topic, 7, 'earliest'), isFault('PARTITION_UNKNOWN'))
    })

    it('gives higher priorities first', async () => {
      const topic = await newTopic()
      const one = (value: string, priority: number) => ({ value: bytes(value), priority })
      const produce = () =>
        engine.produce(topic, [one('low', 0), one('high', 9), one('middle', 5), one('low2', 0)])
      if (!has('priority')) return refused(produce)
      await produce()
      const leases = await engine.lease(topic, { count: 4, waitMs: 5_000 })
      assert.deepEqual(leases.map(textOf), ['high', 'middle', 'low', 'low2'])
    })

    it('holds a delayed message back until it is due', async () => {
      const topic = await newTopic()
      const produce = () =>
        engine.produce(topic, [
          { value: bytes('later'), dueMs: Date.now() + 1_000 },
          { value: bytes('now') },
        ])
      if (!has('delay')) return refused(produce)
      await produce()
      const order = []
      for (let taken = 0; taken < 2; taken++) {
        const [lease] = await engine.lease(topic, { waitMs: 20_000 })
        assert.ok(lease)
        order.push(textOf(lease))
        await engine.ack([lease.token])
      }
      assert.deepEqual(order, ['now', 'later'])
    })

    it('stores a message with a dedupe key once', async () => {
      const topic = await newTopic()
      const produce = () => engine.produce(topic, [{ value: bytes('once'), dedupeKey: 'order-7' }])
      if (!has('dedupe')) return refused(produce)
      const [first] = await produce()
      const [second] = await produce()
      assert.equal(first?.duplicate, false)
      assert.equal(second?.duplicate, true)
      assert.equal(first?.offset, second?.offset)
      assert.equal((await engine.lease(topic, { count: 5, waitMs: 5_000 })).length, 1)
    })

    it('stores a repeated batch of an idempotent producer once', async () => {
      const topic = await newTopic()
      const produce = (first: number, value: string) =>
        engine.produce(topic, [{ value: bytes(value), partition: 0 }], {
          sequence: { producer: 7, epoch: 0, first },
        })
      if (!has('idempotent-producer')) return refused(() => produce(0, 'x'))
      const before = await produce(0, 'first')
      assert.deepEqual((await produce(0, 'first'))[0]?.offset, before[0]?.offset)
      await produce(1, 'second')
      await assert.rejects(() => produce(5, 'gap'), isFault('SEQUENCE_GAP'))
      assert.equal((await engine.lease(topic, { count: 9, waitMs: 5_000 })).length, 2)
    })

    it('cancels what waits and what is out, and tells which', async () => {
      const topic = await newTopic()
      if (!has('cancel')) return refused(() => engine.cancel(topic, { partition: 0, offset: 0 }))
      await send(topic, 'out', 'waits')
      const [out] = await engine.lease(topic, { waitMs: 5_000 })
      assert.ok(out)
      assert.equal(await engine.cancel(topic, { partition: 0, offset: 0 }), 'leased')
      assert.equal(await engine.cancel(topic, { partition: 0, offset: 1 }), 'waiting')
      assert.equal((await engine.ack([out.token]))[0]?.outcome, 'cancelled')
      assert.equal(await engine.cancel(topic, { partition: 0, offset: 0 }), 'gone')
      assert.deepEqual(await engine.lease(topic, { count: 5 }), [])
    })

    it('extends a lease', async () => {
      const topic = await newTopic()
      await send(topic, 'long')
      const [lease] = await engine.lease(topic, { leaseMs: 2_000, waitMs: 5_000 })
      assert.ok(lease)
      if (!has('extend')) return refused(() => engine.extend([lease.token], 60_000))
      assert.equal((await engine.extend([lease.token], 60_000))[0]?.outcome, 'done')
      assert.equal((await engine.ack([lease.token]))[0]?.outcome, 'done')
    })

    it('shares partitions among the members of a group and keeps what they committed', async () => {
      const topic = await newTopic(has('partitions') ? { partitions: 3 } : {})
      if (!has('groups')) return refused(() => engine.join(topic, 'g', 'm1'))
      const alone = await engine.join(topic, 'g', 'm1')
      assert.equal(alone.partitions.length, 3)
      await engine.commit(topic, 'g', 0, 0, alone)
      assert.equal((await engine.committed(topic, 'g')).get(0), 0)
      let [one, two] = [alone, await engine.join(topic, 'g', 'm2')]
      for (let turn = 0; turn < 20 && two.partitions.length === 0; turn++) {
        one = await engine.heartbeat(one)
        two = await engine.heartbeat(two)
      }
      const shared = [...one.partitions, ...two.partitions].sort()
      assert.deepEqual(shared, [0, 1, 2])
      assert.ok(one.partitions.length >= 1 && two.partitions.length >= 1)
      await engine.leave(one)
      await assert.rejects(() => engine.heartbeat(one), isFault('MEMBER_UNKNOWN'))
    })
  })
}
