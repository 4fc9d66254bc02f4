import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type Clock, silentLog, systemClock } from '@drover/kernel'
import type { QueueClient } from '../src/client/queue-client.ts'
import type { QueueRecord } from '../src/message.ts'
import type { TopicOptions } from '../src/queue-engine.ts'
import { type RunningQueue, startQueue } from '../src/start-queue.ts'

/** Small files, so that a short test has many segments. */
const log = { walBytes: 20_000, segmentBytes: 16_000, indexEveryBytes: 1_000 }

interface Run {
  /** Moves the wall time on. */
  jump(byMs: number): void
  client(): QueueClient
  /** What the broker does once a minute. */
  housekeep(): Promise<void>
  restart(): Promise<void>
}

/** A queue on a real disk with a topic `t` of one partition, on a clock that the test can move on. */
async function run(context: TestContext, options: TopicOptions): Promise<Run> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'queue-retention-'))
  let jumpedMs = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + jumpedMs }
  const start = () => startQueue({ dataFolder, runBrokers: 'here', clock, logger: silentLog, log })
  let queue: RunningQueue = await start()
  await queue.client.createTopic('t', { partitions: 1, ...options })
  context.after(async () => {
    await queue.stop()
    await rm(dataFolder, { recursive: true, force: true })
  })
  return {
    jump(byMs) {
      jumpedMs += byMs
    },
    client: () => queue.client,
    async housekeep() {
      await queue.manager.broker('broker0').link.call('housekeep', {})
    },
    async restart() {
      await queue.stop()
      queue = await start()
    },
  }
}

async function readAll(client: QueueClient, offset = 0): Promise<QueueRecord[]> {
  const records: QueueRecord[] = []
  for (let next = offset; ; ) {
    const fetched = await client.fetch('t', 0, { offset: next }, { bytesMax: 5_000 })
    records.push(...fetched.records)
    // All of it in one process, reads of what is in memory would let nobody else have a turn.
    await setImmediate()
    if (fetched.nextOffset === next) return records
    next = fetched.nextOffset
  }
}

const textOf = ({ value }: QueueRecord) => Buffer.from(value).toString()

const bytesOf = async (client: QueueClient) => (await client.bounds('t'))[0]?.bytes ?? 0

describe('compaction', () => {
  it('keeps the last value of each key where it was, while it is read, over a restart', async (context) => {
    const queue = await run(context, { compact: true, retentionMs: 0 })
    const sent: { value: string; key: string | undefined }[] = []
    const produce = async (from: number) => {
      const batch = Array.from({ length: 25 }, (_, at) => {
        const number = from + at
        const key = number % 10 === 9 ? undefined : `k${number % 7}`
        return { value: `${number}-${'.'.repeat(60)}`, key }
      })
      sent.push(...batch)
      await queue.client().produce(
        't',
        batch.map(({ value, key }) => ({ value: Buffer.from(value), ...(key ? { key } : {}) })),
      )
    }
    let producing = true
    let reads = 0
    const reader = (async () => {
      for (; producing; reads++)
        for (const record of await readAll(queue.client()))
          assert.equal(textOf(record), sent[record.offset]?.value, `offset ${record.offset}`)
    })()
    for (let from = 0; from < 3_000; from += 25) {
      await produce(from)
      if (from % 500 === 0) await queue.housekeep()
    }
    producing = false
    await reader
    await queue.housekeep()

    const found = await readAll(queue.client())
    const last = new Map(sent.map(({ key }, offset) => [key, offset]))
    for (const [key, offset] of last)
      if (key !== undefined)
        assert.ok(found.some((record) => record.offset === offset && record.key === key))
    const unkeyed = sent.flatMap(({ key }, offset) => (key === undefined ? [offset] : []))
    const kept = new Set(found.map(({ offset }) => offset))
    assert.ok(
      unkeyed.every((offset) => kept.has(offset)),
      'a message without a key went',
    )
    assert.ok(found.length < sent.length / 3, `${found.length} of ${sent.length} are left`)
    assert.ok(reads > 2, `${reads} reads went on meanwhile`)

    await queue.restart()
    const again = await readAll(queue.client())
    const places = (records: QueueRecord[]) => records.map((one) => `${one.offset} ${textOf(one)}`)
    // The stop handed on what was in the write-ahead file; nothing else may have changed.
    assert.deepEqual(places(again), places(found))
    for (let gap = 0; gap < sent.length; gap += 37) {
      const fetched = await queue.client().fetch('t', 0, { offset: gap }, { bytesMax: 1 })
      const next = found.find(({ offset }) => offset >= gap)
      assert.equal(fetched.records[0]?.offset, next?.offset, `from ${gap} on`)
    }
    await queue.housekeep()
    const [receipt] = await queue.client().produce('t', [{ value: Buffer.from('on') }])
    assert.equal(receipt?.offset, sent.length)
  })

  it('forgets a key whose last value is empty', async (context) => {
    const queue = await run(context, { compact: true, retentionMs: 0 })
    const put = (key: string, value: string) =>
      queue.client().produce('t', [{ key, value: Buffer.from(value) }])
    await put('ann', 'here')
    await put('bob', 'here')
    await put('ann', '')
    // Only segments that are full are compacted.
    for (let at = 0; at < 600; at++) await put('filler', 'x'.repeat(100))
    await queue.housekeep()
    const keys = new Set((await readAll(queue.client())).map(({ key }) => key))
    assert.deepEqual(keys, new Set(['bob', 'filler']))
  })
})

describe('retention', () => {
  it('removes the oldest beyond the size, in whole segments, while it is read', async (context) => {
    const retentionBytes = 80_000
    const queue = await run(context, { retentionBytes, retentionMs: 0 })
    let end = 0
    let producing = true
    const reader = (async () => {
      let next = 0
      while (producing) {
        const { records, nextOffset } = await queue.client().fetch('t', 0, { offset: next })
        for (const record of records) assert.equal(textOf(record).split('-')[0], `${record.offset}`)
        next = nextOffset
        await setImmediate()
      }
      return next
    })()
    for (; end < 4_000; end += 40) {
      const batch = Array.from({ length: 40 }, (_, at) => `${end + at}-${'.'.repeat(80)}`)
      await queue.client().produce(
        't',
        batch.map((value) => ({ value: Buffer.from(value) })),
      )
      if (end % 400 === 0) await queue.housekeep()
    }
    producing = false
    assert.ok((await reader) > 0)
    await queue.housekeep()

    const bytes = await bytesOf(queue.client())
    const most = retentionBytes + log.segmentBytes + 2 * log.walBytes
    assert.ok(bytes <= most, `${bytes} bytes are kept, of ${most}`)
    const before = await readAll(queue.client())
    const [first] = before
    assert.ok(first && first.offset > 1_000, `the first is ${first?.offset}`)
    assert.deepEqual(
      before.map(({ offset }) => offset),
      before.map((_, at) => first.offset + at),
    )
    await queue.restart()
    assert.deepEqual((await readAll(queue.client())).map(textOf), before.map(textOf))
  })

  it('removes what is too old, even the last of it, and what a worker held of it', async (context) => {
    const queue = await run(context, { retentionMs: 3_600_000 })
    const produce = (from: number, count: number) =>
      queue.client().produce(
        't',
        Array.from({ length: count }, (_, at) => ({ value: Buffer.from(`m${from + at}`) })),
      )
    await produce(0, 500)
    const leases = await queue.client().lease('t', { count: 3 })
    queue.jump(1_800_000)
    await produce(500, 10)
    await queue.housekeep()
    assert.equal((await readAll(queue.client())).length, 510)

    queue.jump(1_900_000)
    await queue.restart()
    await queue.housekeep()
    const left = (await readAll(queue.client())).map(textOf)
    assert.ok(left.length >= 10 && left.length <= 510, `${left.length} are left`)
    assert.equal(left.at(-1), 'm509')

    queue.jump(3_600_000)
    await queue.housekeep()
    const [bounds] = await queue.client().bounds('t')
    assert.deepEqual([bounds?.firstOffset, bounds?.endOffset], [510, 510])
    assert.deepEqual(await readAll(queue.client()), [])
    const outcomes = await queue.client().ack(leases.map(({ token }) => token))
    assert.ok(outcomes.every(({ outcome }) => outcome === 'late' || outcome === 'done'))
    assert.deepEqual(await queue.client().lease('t', { count: 10 }), [])

    await queue.restart()
    const [receipt] = await produce(510, 1)
    assert.equal(receipt?.offset, 510)
    assert.deepEqual((await readAll(queue.client())).map(textOf), ['m510'])
    assert.equal((await queue.client().lease('t', { count: 10 })).length, 1)
  })
})
