import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ManualClock, seededRandom } from '@drover/kernel'
import { formatToken } from '../../src/broker/tokens.ts'
import { MemoryDisk } from '../../src/log/memory-disk.ts'
import { limitDefaults, logDefaults } from '../../src/options.ts'
import type { TokenOutcome } from '../../src/queue-engine.ts'
import { batchOf, openBroker, syncThrough } from './broker-under-test.ts'

interface Given {
  readonly attempts: number[]
  readonly mark: number
}

const isWal = (path: string) => path.startsWith('wal-')

/** Moves the clock on until `holds`. */
async function until(clock: ManualClock, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (await holds()) return
    await clock.advance(100)
  }
  throw new Error('it does not come about')
}

describe('a slow disk', () => {
  it('acknowledges and shows nothing before it is synced, and syncs once for all who wait', async () => {
    const gates: (() => void)[] = []
    let slow = false
    const disk = syncThrough(new MemoryDisk(), async (path, real) => {
      if (slow && isWal(path)) await new Promise<void>((resolve) => gates.push(resolve))
      await real()
    })
    const { broker, clock, own, produce, call } = await openBroker(disk)
    await own(1)
    slow = true

    const acked: number[] = []
    const sends = Array.from({ length: 100 }, async (_, at) => {
      await produce(1, `m${at}`)
      acked.push(at)
    })
    await clock.advance(1_000)
    assert.deepEqual(acked, [])
    const [bounds] = (await call('bounds', { ids: [1] })).result as { endOffset: number }[]
    assert.equal(bounds?.endOffset, 0, 'a reader would see what is not durable')
    assert.equal(gates.length, 1)

    let syncs = 0
    await until(clock, () => {
      const open = gates.shift()
      if (open) syncs++
      open?.()
      return acked.length === 100
    })
    await Promise.all(sends)
    assert.ok(syncs <= 2, `${syncs} syncs for 100 calls at once`)
    slow = false
    await broker.stop()
  })

  it('gives a lease out at once to who does without the disk, and to nobody twice', async () => {
    let open = Promise.withResolvers<void>()
    open.resolve()
    const disk = syncThrough(new MemoryDisk(), async (path, real) => {
      if (isWal(path)) await open.promise
      await real()
    })
    const { broker, own, produce, call } = await openBroker(disk)
    await own(1)
    await produce(1, 'a', 'b', 'c')
    const lease = async (acks: 'disk' | 'memory') => {
      const wanted = { ids: [1], group: 'g', count: 1, leaseMs: 30_000, acks }
      return ((await call('lease', wanted)).result as { attempts: number[] }).attempts[1]
    }
    const first = await lease('disk')

    open = Promise.withResolvers()
    const second = await lease('memory')
    let third: number | undefined
    const waiting = lease('disk').then((offset) => {
      third = offset
    })
    await new Promise((resolve) => setImmediate(resolve))
    const early = third
    open.resolve()
    await waiting

    assert.deepEqual([first, second, early, third], [0, 1, undefined, 2])
    await broker.stop()
  })

  it('refuses the token of a lease that a power cut undid, and takes that of the next', async () => {
    let power = true
    const memory = new MemoryDisk()
    const disk = syncThrough(memory, async (path, real) => {
      if (power || !isWal(path)) return real()
      await new Promise<void>(() => {})
    })
    const tokenFrom = async (call: Awaited<ReturnType<typeof openBroker>>['call']) => {
      const wanted = { ids: [1], group: 'g', count: 1, leaseMs: 30_000, acks: 'memory' }
      const { attempts, mark } = (await call('lease', wanted)).result as Given
      const [id = 0, offset = 0, attempt = 0] = attempts
      return formatToken({ id, offset, attempt, mark, group: 'g' })
    }
    const before = await openBroker(disk)
    await before.own(1)
    await before.produce(1, 'a')
    await before.call('ack', { tokens: [await tokenFrom(before.call)] })
    await before.produce(1, 'b')
    power = false
    const undone = await tokenFrom(before.call)

    const after = await openBroker(
      memory.crash(() => 'dropped'),
      { random: seededRandom(2) },
    )
    const token = await tokenFrom(after.call)
    const outcomes = async (tokens: string[]) =>
      ((await after.call('ack', { tokens })).result as TokenOutcome[]).map(({ outcome }) => outcome)
    assert.equal(
      token.replace(/-\d+/, ''),
      undone.replace(/-\d+/, ''),
      'the same attempt at the same',
    )
    assert.deepEqual(await outcomes([undone]), ['late'])
    assert.deepEqual(await outcomes([token]), ['done'])
    await after.broker.stop()
  })

  it('refuses when too much waits, keeps what it took, and goes on', async () => {
    let open = Promise.withResolvers<void>()
    open.resolve()
    const disk = syncThrough(new MemoryDisk(), async (path, real) => {
      if (isWal(path)) await open.promise
      await real()
    })
    const logOptions = { ...logDefaults, waitingBytesMax: 100_000 }
    const { broker, own, produce, call } = await openBroker(disk, { logOptions })
    await own(1)
    open = Promise.withResolvers()

    const outcomes = Array.from({ length: 40 }, () =>
      produce(1, 'x'.repeat(5_000)).then(
        () => 'stored',
        (error: { code: string }) => error.code,
      ),
    )
    await new Promise((resolve) => setImmediate(resolve))
    open.resolve()
    const counted = await Promise.all(outcomes)
    const stored = counted.filter((outcome) => outcome === 'stored').length
    assert.equal(counted.filter((outcome) => outcome === 'BROKER_BUSY').length, 40 - stored)
    assert.ok(stored >= 18 && stored <= 20, `${stored} were stored`)
    const [bounds] = (await call('bounds', { ids: [1] })).result as { endOffset: number }[]
    assert.equal(bounds?.endOffset, stored)
    assert.equal((await produce(1, 'after')).offset, stored)
    await broker.stop()
  })
})

describe('a failing disk', () => {
  it('never syncs a file again whose sync failed, and opens anew', async () => {
    const synced = new Map<string, number>()
    let failing: string | undefined
    let armed = false
    const disk = syncThrough(new MemoryDisk(), async (path, real) => {
      synced.set(path, (synced.get(path) ?? 0) + 1)
      if (!armed || !isWal(path)) return real()
      armed = false
      failing = path
      throw Object.assign(new Error('EIO: fdatasync'), { code: 'EIO' })
    })
    const { broker, clock, own, produce } = await openBroker(disk)
    await own(1)
    await produce(1, 'kept')
    armed = true
    await assert.rejects(produce(1, 'lost or kept, but not acknowledged'), { code: 'DISK_FAILED' })
    await assert.rejects(produce(1, 'refused'), { code: 'DISK_FAILED' })
    const before = synced.get(failing ?? '')

    let offset = -1
    await until(clock, async () => {
      const stored = await produce(1, 'again').catch(() => undefined)
      offset = stored?.offset ?? -1
      return stored !== undefined
    })
    assert.ok(offset === 1 || offset === 2, `stored at ${offset}`)
    assert.equal(synced.get(failing ?? ''), before, 'the failed file was synced again')
    await broker.stop()
  })

  it('is a fault also when a broker starts on it', async () => {
    for (let change = 1; change <= 5; change++) {
      const disk = new MemoryDisk()
      disk.failAt(change, 'ENOSPC')
      await assert.rejects(openBroker(disk), { code: 'DISK_FAILED', retry: 'later' })
      disk.heal()
      const { broker, own, produce } = await openBroker(disk)
      await own(1)
      assert.equal((await produce(1, 'on')).offset, 0)
      await broker.stop()
    }
  })

  it('refuses with DISK_FULL above the mark and when files would not fit, and reads go on', async () => {
    const free = { freeBytes: 900, totalBytes: 1_000 }
    const memory = new MemoryDisk()
    const disk = Object.assign(
      syncThrough(memory, (_, real) => real()),
      {
        usage: async () => free,
      },
    )
    const limits = { ...limitDefaults, diskUsedMax: 0.9 }
    const logOptions = { ...logDefaults, walBytes: 10 }
    const { broker, clock, own, produce, call } = await openBroker(disk, { limits, logOptions })
    await own(1)
    await produce(1, 'a')
    free.freeBytes = 50
    await clock.advance(2_000)
    await assert.rejects(produce(1, 'b'), { code: 'DISK_FULL', status: 507, retry: 'later' })
    free.freeBytes = 20
    await clock.advance(2_000)
    await assert.rejects(produce(1, 'c'), { code: 'DISK_FULL' })
    const { parts } = await call('fetch', { id: 1, from: { offset: 0 } })
    assert.equal(parts?.length, 1)
    const { result } = await call('lease', { ids: [1], group: 'g', count: 1, leaseMs: 1_000 })
    assert.equal((result as { attempts: number[] }).attempts.length, 3)
    free.freeBytes = 900
    await clock.advance(2_000)
    assert.equal((await produce(1, 'd')).offset, 1)
    await broker.stop()
  })

  it('counts what it is about to store: a disk can fill up between two looks', async () => {
    const disk = Object.assign(
      syncThrough(new MemoryDisk(), (_, real) => real()),
      { usage: async () => ({ freeBytes: 100_000, totalBytes: 200_000 }) },
    )
    const logOptions = { ...logDefaults, walBytes: 100 }
    const { broker, own, call } = await openBroker(disk, { logOptions })
    await own(1)
    let stored = 0
    for (let refused = false; !refused && stored < 100; ) {
      const batch = batchOf('x'.repeat(4_000))
      refused = await call('produce', { id: 1 }, batch).then(
        () => false,
        (error: { code: string }) => error.code === 'DISK_FULL',
      )
      if (!refused) stored++
    }
    assert.ok(stored > 5 && stored < 15, `${stored} messages of 4 kB went into 90 kB, twice each`)
    await broker.stop()
  })
})
