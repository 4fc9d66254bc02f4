import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type DiskFailure, MemoryDisk } from '../../src/log/memory-disk.ts'
import { batchOf, openStore, openWal, valuesIn } from './store-under-test.ts'

/** Writes `steps` batches to two partitions, with an event after each third; notes what was acknowledged. */
async function work(disk: MemoryDisk, steps: number, seed = 1) {
  const acked = new Map<string, string>()
  const events: number[] = []
  const { store, failures } = await openStore(disk, undefined, seed)
  const waiting: Promise<unknown>[] = []
  try {
    for (const id of [1, 2])
      if (!store.partitions.has(id)) await store.event({ type: 'log.open', id, ...{ start: 0 } })
    for (let step = 0; step < steps; step++) {
      const id = 1 + (step % 2)
      const value = `s${seed}-${step}-${'x'.repeat((step * 37) % 120)}`
      const offset = store.partitions.get(id)?.end ?? 0
      waiting.push(
        store.append(id, batchOf(value), 0).then(() => acked.set(`${id}:${offset}`, value)),
      )
      if (step % 3 === 0)
        waiting.push(store.event({ type: 'count', ...{ n: step } }).then(() => events.push(step)))
      if (step % 4 === 3) await Promise.allSettled(waiting)
    }
  } catch {
    // A disk that was told to fail refuses from then on; what was acknowledged counts.
  }
  await Promise.allSettled(waiting)
  return { store, acked, events, failures }
}

async function check(disk: MemoryDisk, acked: Map<string, string>, events: number[], what: string) {
  const { store, machine } = await openStore(disk, undefined, 99)
  assert.equal(store.damage, undefined, what)
  const found = new Map<string, string>([
    ...[...(await valuesIn(store, 1))].map(([offset, value]) => [`1:${offset}`, value] as const),
    ...[...(await valuesIn(store, 2))].map(([offset, value]) => [`2:${offset}`, value] as const),
  ])
  for (const [place, value] of acked) assert.equal(found.get(place), value, `${what}: ${place}`)
  for (const event of events) assert.ok(machine.events.includes(event), `${what}: event ${event}`)
  for (const id of [1, 2]) {
    const log = store.partitions.get(id)
    assert.equal(log?.damage, undefined, what)
    assert.equal(machine.ends[id] ?? 0, log?.end ?? 0, `${what}: state and log of ${id}`)
    assert.equal([...found.keys()].filter((key) => key.startsWith(`${id}:`)).length, log?.end ?? 0)
  }
  await store.abandon()
  return found
}

describe('store', () => {
  it('fails a write whose caller has given up without ending the process', async () => {
    const disk = new MemoryDisk()
    const { store, failures } = await openStore(disk)
    await store.event({ type: 'log.open', id: 1, ...{ start: 0 } })
    disk.failAt(1, 'EIO')
    // As when the second of two writes is refused, and with it the whole call.
    void store.append(1, batchOf('given up'), 0)
    await assert.rejects(store.whenDurable(), { code: 'DISK_FAILED' })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(failures.length, 1)
    await store.abandon()
  })

  it('gives back everything after a clean stop, with nothing left to replay', async () => {
    const disk = new MemoryDisk()
    const { store, acked, events } = await work(disk, 60)
    await store.close()
    assert.equal(acked.size, 60)
    assert.ok(disk.paths().filter((path) => path.startsWith('p1-')).length > 2)
    await check(disk, acked, events, 'clean')
  })

  it('loses nothing acknowledged in any crash state, and recovers to the same twice', async () => {
    let states = 0
    for (const steps of [1, 5, 9, 14, 21, 25, 33, 47]) {
      const disk = new MemoryDisk()
      const { acked, events } = await work(disk, steps)
      for (const state of disk.crashStates(400)) {
        states++
        const first = await check(state, acked, events, `steps ${steps}, state ${states}`)
        const again = state.crash(() => (states % 2 ? 'kept' : 'dropped'))
        const second = await check(again, acked, events, `again ${states}`)
        for (const [place, value] of first) assert.equal(second.get(place), value)
      }
    }
    assert.ok(states > 50, `${states} states`)
  })

  it('loses nothing acknowledged when the power goes at any operation, whatever becomes of it', async () => {
    for (let change = 1; change < 120; change += 1) {
      const disk = new MemoryDisk()
      disk.failAt(change, 'EIO')
      const { acked, events } = await work(disk, 18).catch(() => ({ acked: new Map(), events: [] }))
      let state = 0
      for (const crashed of disk.crashStates(60))
        await check(crashed, acked, events, `change ${change}, state ${++state}`)
    }
  })

  for (const failure of ['EIO', 'ENOSPC', 'short'] as DiskFailure[])
    it(`acknowledges nothing after ${failure}, and has all that it did acknowledge when opened anew`, async () => {
      let failed = 0
      for (let change = 1; change < 150; change++) {
        const disk = new MemoryDisk()
        const first = await work(disk, 12)
        disk.failAt(change, failure)
        const before = disk.changes
        const second = await workOn(first, disk)
        if (second.failures.length > 0) failed++
        // It would have been a later change than there were.
        else disk.heal()
        await second.store.abandon()
        await check(disk, second.acked, second.events, `${failure} at ${change}`)
        const cut = disk.crash(() => 'dropped')
        await check(cut, second.acked, second.events, `${failure} at ${change}, power cut`)
        assert.ok(disk.changes > before)
      }
      assert.ok(failed > 5, `${failed} failures met`)
    })

  it('cuts a torn tail at every byte and keeps what came before', async () => {
    const disk = new MemoryDisk()
    const { store, acked, events } = await work(disk, 4)
    await store.abandon()
    const { path: wal } = await openWal(disk)
    const whole = disk.content(wal)
    const { store: longer } = await openStore(disk.crash(() => 'kept'))
    await longer.abandon()
    for (let bytes = whole.length; bytes >= 32; bytes--) {
      const cut = disk.crash(() => 'kept')
      cut.cut(wal, bytes)
      const { store: opened } = await openStore(cut)
      assert.equal(opened.damage, undefined, `cut at ${bytes}`)
      const found = await valuesIn(opened, 1)
      for (const [offset, value] of found) assert.equal(acked.get(`1:${offset}`), value)
      assert.deepEqual(
        [...found.keys()],
        [...found.keys()].sort((a, b) => a - b),
      )
      await opened.abandon()
    }
    await check(
      disk.crash(() => 'kept'),
      acked,
      events,
      'uncut',
    )
  })

  it('reports a flipped bit in the middle of the write-ahead file and serves only what precedes it', async () => {
    const disk = new MemoryDisk()
    const { store } = await work(disk, 14)
    await store.abandon()
    const { path: wal, bytes: length } = await openWal(disk)
    let reported = 0
    for (let position = 0; position < length; position += 3) {
      const spoilt = disk.crash(() => 'kept')
      spoilt.flip(wal, position, 1 << (position % 8))
      const { store: opened } = await openStore(spoilt)
      if (opened.damage) {
        reported++
        assert.equal(opened.damage.path, wal)
        assert.throws(() => opened.check(1), /are not what was written/)
      }
      for (const id of [1, 2])
        for (const value of (await valuesIn(opened, id)).values())
          assert.match(value, /^s1-\d+-x*$/)
      await opened.abandon()
    }
    assert.ok(reported > length / 6)
  })

  it('names file and place of a flipped bit in a segment, and serves the rest', async () => {
    const disk = new MemoryDisk()
    const { store, acked } = await work(disk, 60)
    await store.close()
    const segment = disk.paths().find((path) => /^p1-\d+\/.*\.log$/.test(path)) ?? ''
    const length = disk.content(segment).length
    for (let position = 64; position < length; position += 7) {
      const spoilt = disk.crash(() => 'kept')
      spoilt.flip(segment, position)
      const { store: opened } = await openStore(spoilt)
      await assert.rejects(
        () => valuesIn(opened, 1),
        (error: Error) => error.message.includes(segment) && /bytes at \d+/.test(error.message),
      )
      const log = opened.partitions.get(1)
      const later = await log?.read((log?.durable ?? 1) - 1, 1_000)
      assert.equal(later?.length, 1)
      assert.equal((await valuesIn(opened, 2)).size, 30)
      await opened.abandon()
    }
    assert.equal(acked.size, 60)
  })
})

/** More work on a store that is open; stops at the first refusal. */
async function workOn(first: Awaited<ReturnType<typeof work>>, _disk: MemoryDisk) {
  const { store, acked, events, failures } = first
  const waiting: Promise<unknown>[] = []
  try {
    for (let step = 100; step < 160; step++) {
      const id = 1 + (step % 2)
      const value = `again-${step}-${'y'.repeat((step * 31) % 90)}`
      const offset = store.partitions.get(id)?.end ?? 0
      waiting.push(
        store.append(id, batchOf(value), 0).then(() => acked.set(`${id}:${offset}`, value)),
      )
      if (step % 3 === 0) await Promise.allSettled(waiting)
    }
  } catch {
    // Refused: the store has failed.
  }
  await Promise.allSettled(waiting)
  return { store, acked, events, failures }
}
