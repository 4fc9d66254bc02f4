import assert from 'node:assert/strict'
import { Fault } from '@drover/kernel'
import type { QueueClient } from '../../src/client/queue-client.ts'
import type { Membership } from '../../src/queue-engine.ts'
import { History } from './history.ts'
import { World } from './world.ts'

const partitions = 3
const topic = 't'

/** What a run came to, so that a test can tell that it did something. */
export interface RunSummary {
  readonly acked: number
  readonly crashes: number
  readonly moves: number
}

/**
 * One seed: two producers, a reader by offset, two readers in a group and two workers go on while
 * brokers lose power, disks fail, the network loses calls, clocks jump, brokers come and go. Then the
 * faults end, the backlog must drain, and the history must hold. Throws what rule was broken.
 */
export async function runSeed(seed: number): Promise<RunSummary> {
  const world = new World(seed)
  const history = new History()
  await world.pass(world.manager.start())
  const setup = world.client()
  await world.pass(setup.createTopic(topic, options))
  world.wild = true
  let busy = true
  const going = () => busy
  const actors = Promise.all([
    produce(world, history, 'a', going),
    produce(world, history, 'b', going),
    readAll(world, history, going),
    readInGroup(world, history, 'm1', going),
    readInGroup(world, history, 'm2', going),
    work(world, history, going),
    work(world, history, going),
  ])
  // Whatever breaks a rule is thrown below, once the faults are over.
  actors.catch(() => {})
  const moves = await world.pass(disturb(world))
  busy = false
  world.wild = false
  for (const disk of world.disks.values()) disk.heal()
  for (const name of [...world.down]) await world.pass(world.recover(name))
  await world.pass(actors)
  await world.pass(drain(world, history, setup))
  history.check(await world.pass(contents(setup)))
  await world.pass(world.manager.stop())
  return { acked: history.acked.size, crashes: world.crashes, moves }
}

const options = {
  partitions,
  attemptsMax: 1_000,
  backoff: { firstMs: 5, mostMs: 50 },
  retentionMs: 0,
}

const bytes = (value: string) => Buffer.from(value)

/** Faults are part of the game; anything else is a bug. */
async function mayFail(action: () => Promise<unknown>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
  }
}

async function produce(world: World, history: History, name: string, going: () => boolean) {
  const client = world.client()
  const sends: Promise<void>[] = []
  for (let count = 0; going() && count < 400; ) {
    const partition = world.random.integer(0, partitions - 1)
    const values = Array.from(
      { length: world.random.integer(1, 4) },
      () => `${name}-${String(count++)}-${'.'.repeat(world.random.integer(0, 60))}`,
    )
    const messages = values.map((value) => ({ value: bytes(value), partition }))
    sends.push(
      mayFail(async () => {
        const receipts = await client.produce(topic, messages)
        for (const [at, receipt] of receipts.entries())
          history.acked.set(values[at] ?? '', `${partition}:${receipt.offset}`)
      }),
    )
    await world.clock.sleep(world.random.integer(1, 25))
  }
  await Promise.all(sends)
}

async function readAll(world: World, history: History, going: () => boolean) {
  const client = world.client()
  const next = new Map<number, number>()
  while (going()) {
    const partition = world.random.integer(0, partitions - 1)
    await mayFail(async () => {
      const offset = next.get(partition) ?? 0
      const fetched = await client.fetch(topic, partition, { offset }, { bytesMax: 600 })
      for (const record of fetched.records)
        history.read(partition, record.offset, record.value.toString())
      const got = fetched.records.map((record) => record.offset)
      assert.deepEqual(
        got,
        got.map((_, at) => offset + at),
        'a read skipped offsets',
      )
      next.set(partition, fetched.nextOffset)
    })
    await world.clock.sleep(world.random.integer(1, 20))
  }
}

async function readInGroup(world: World, history: History, name: string, going: () => boolean) {
  const client = world.client()
  let membership: Membership | undefined
  while (going()) {
    await mayFail(async () => {
      if (!membership || world.random.next() < 0.03) {
        if (membership && world.random.next() < 0.5) {
          history.forget(name)
          await client.leave(membership)
        }
        membership = await client.join(topic, 'g', name, 5_000)
      } else membership = await client.heartbeat(membership)
      history.own(name, membership.partitions)
    })
    for (const partition of membership?.partitions ?? [])
      await mayFail(async () => {
        const before = (await client.committed(topic, 'g')).get(partition)
        history.committed(partition, before)
        const from = { offset: before ?? 0 }
        const { nextOffset } = await client.fetch(topic, partition, from, { bytesMax: 500 })
        await client.commit(topic, 'g', partition, nextOffset, membership)
        history.commit(partition, nextOffset)
      })
    await world.clock.sleep(world.random.integer(5, 60))
  }
}

async function work(world: World, history: History, going: () => boolean) {
  const client = world.client()
  while (going()) {
    await mayFail(() => workOnce(world, history, client))
    await world.clock.sleep(world.random.integer(1, 30))
  }
}

async function workOnce(world: World, history: History, client: QueueClient): Promise<number> {
  const leases = await client.lease(topic, { count: world.random.integer(1, 10), leaseMs: 2_000 })
  for (const { record } of leases)
    history.lease(record.partition, record.offset, record.value.toString())
  const tokens = leases.map(({ token }) => token)
  if (tokens.length === 0) return 0
  if (world.wild && world.random.next() < 0.2) await client.nack(tokens)
  else if (!world.wild || world.random.next() < 0.9) {
    const outcomes = await client.ack(tokens)
    for (const [at, { outcome }] of outcomes.entries()) {
      const record = leases[at]?.record
      if (outcome === 'done' && record) history.done.add(`${record.partition}:${record.offset}`)
    }
  }
  return tokens.length
}

/** The faults: power cuts, failing disks, jumping clocks, brokers that come and go. */
async function disturb(world: World): Promise<number> {
  const { random, clock } = world
  const admin = world.client()
  let moves = 0
  for (let turn = 0; turn < 12; turn++) {
    await clock.sleep(random.integer(20, 250))
    moves += await disturbOnce(world, admin)
    for (const one of [...world.down]) {
      if (random.next() >= 0.6) continue
      await clock.sleep(random.integer(1, 100))
      await world.recover(one)
    }
  }
  return moves
}

async function disturbOnce(world: World, admin: QueueClient): Promise<number> {
  const { random, clock, manager } = world
  const name = random.pick([...world.host.brokers.keys()]) ?? ''
  const dice = random.next()
  let moves = 0
  const change = (action: () => Promise<void>) =>
    mayFail(async () => {
      await action()
      moves++
    })
  if (dice < 0.45) world.crash(name)
  else if (dice < 0.6) {
    const failure = random.pick(['EIO', 'ENOSPC', 'short'] as const) ?? 'EIO'
    world.diskOf(name).failAt(random.integer(1, 20), failure)
  } else if (dice < 0.7) clock.jump(random.integer(-5_000, 5_000))
  else if (dice < 0.85 && manager.brokers.size < 4)
    await change(() => admin.addBroker(`b${random.integer(2, 9)}`))
  else if (manager.brokers.size > 1)
    await change(() => admin.removeBroker(random.pick([...manager.brokers.keys()]) ?? ''))
  return moves
}

/** With no faults any more, all work gets done in bounded time. */
async function drain(world: World, history: History, client: QueueClient): Promise<void> {
  for (let turn = 0; turn < 5_000; turn++) {
    const taken = await workOnce(world, history, client)
    if (taken > 0) continue
    const { ready, leased, delayed } = await client.counts(topic)
    if (ready + leased + delayed === 0) return
    await world.clock.sleep(50)
  }
  throw new Error('the backlog does not drain')
}

async function contents(client: QueueClient): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let partition = 0; partition < partitions; partition++) {
    let offset = 0
    for (;;) {
      const fetched = await client.fetch(topic, partition, { offset })
      for (const record of fetched.records)
        found.set(`${partition}:${record.offset}`, record.value.toString())
      if (fetched.records.length === 0) break
      offset = fetched.nextOffset
    }
    assert.equal([...found.keys()].filter((key) => key.startsWith(`${partition}:`)).length, offset)
  }
  return found
}
