import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '@drover/kernel'
import type { Disk } from '../../src/log/disk.ts'
import { type Fate, MemoryDisk } from '../../src/log/memory-disk.ts'
import { repairLog } from '../../src/log/repair.ts'
import { walPath } from '../../src/log/wal-file.ts'
import { logDefaults } from '../../src/options.ts'
import { batchOf, openStore, openWal, valuesIn } from './store-under-test.ts'

const values = (count: number) =>
  Array.from({ length: count }, (_, at) => `m${at}-${'.'.repeat(50)}`)

/** A disk that is `disk` but for what `changes` has. */
function changed(disk: MemoryDisk, changes: Partial<Disk>): Disk {
  return new Proxy<Disk>(disk, {
    get(_, name) {
      const own = changes[name as keyof Disk] ?? disk[name as keyof Disk]
      return own.bind(disk)
    },
  })
}

async function filled(disk: Disk, count: number) {
  const { store } = await openStore(disk)
  await store.event({ type: 'log.open', id: 1, ...{ start: 0 } })
  for (const value of values(count)) await store.append(1, batchOf(value), 0)
  return store
}

/** Asserts that the first `count` messages are there, and that writing goes on. */
async function assertThere(disk: MemoryDisk, count: number, what = ''): Promise<void> {
  const { store } = await openStore(disk, undefined, 99)
  assert.equal(store.damage, undefined, what)
  const found = await valuesIn(store, 1)
  for (const [at, value] of values(count).entries()) assert.equal(found.get(at), value, what)
  await store.append(1, batchOf('after'), 0)
  await store.abandon()
}

/** A file of version 1 as it was written: an event that opens partition 1, then two batches. */
const versionOne = `
  RFJRV0FMAAEAAGBe/RAUAAAAAAAAAAAAAAAAAKYzsQ4l32BzRFFHAQAAYF79EBQAIAAAAAAAAABkAAAAAQAAAN9jwEQAAAAAOGfspkRRQgFkAAAA
  /////wEAAAAAAAAA6AMAAAAAAAABAAAAAAAAABxYCG0AAAAAAAAAAAAAAAAAAAAAAAABAHsidHlwZSI6ImxvZy5vcGVuIiwiaWQiOjEsInN0YXJ0
  IjowfYWE/pdEUUcBAABgXv0QFACsAAAAAAAAAGYAAAABAAAAequGIQAAAADRJVO3RFFCAWYAAAABAAAAAAAAAAAAAADoAwAAAAAAAAIAAAABAAAA
  KwP79AAAAAAAAAAAAAAAAAAAAAAAAAAAEwAAAAAAAAD//wAAAAAAAG9uZRMAAAABAAAA//8AAAAAAAB0d28TtIlSRFFHAQAAYF79EBQAOgEAAAAA
  AABVAAAAAQAAAOVHaxAAAAAAPMQVRURRQgFVAAAAAQAAAAIAAAAAAAAA6AMAAAAAAAABAAAAAAAAAGmC0wwAAAAAAAAAAAAAAAAAAAAAAAAAABUA
  AAAAAAAA//8AAAAAAAB0aHJlZQ==`

describe('write-ahead files', () => {
  it('are written over again, so that none grows and few are made', async () => {
    const disk = new MemoryDisk()
    const made: string[] = []
    const counting = changed(disk, {
      create: (path) => {
        if (path.startsWith('wal')) made.push(path)
        return disk.create(path)
      },
    })
    const store = await filled(counting, 400)
    const lengths = disk
      .paths()
      .filter((path) => path.startsWith('wal-'))
      .map((path) => disk.content(path).length)
    await store.abandon()
    assert.ok(made.length <= 4, `${made} were made for some 30 files' worth`)
    assert.ok(lengths.length >= 2 && lengths.length <= 4, `${lengths}`)
    await assertThere(disk, 400)
  })

  it('of a queue that does little have no reserve', async () => {
    const disk = new MemoryDisk()
    const { store } = await openStore(disk, logDefaults)
    await store.event({ type: 'log.open', id: 1, ...{ start: 0 } })
    for (const value of values(100)) await store.append(1, batchOf(value), 0)
    const bytes = disk.paths().reduce((sum, path) => sum + disk.content(path).length, 0)
    assert.ok(bytes < 100_000, `${bytes} bytes`)
    await store.close()
  })

  it('lose nothing while reserves come and go beside the writing, and the power goes', async () => {
    const fates: Fate[] = ['kept', 'dropped', 'torn-1', 'torn-512', 'zeroed', 'stale']
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed)
      const wait = async () => {
        if (random.next() < 0.5) await new Promise((resolve) => setImmediate(resolve))
      }
      const disk = new MemoryDisk({ wait })
      const { store } = await openStore(disk, undefined, seed)
      await store.event({ type: 'log.open', id: 1, ...{ start: 0 } })
      let acked = 0
      for (const value of values(random.integer(20, 150))) {
        const stored = store.append(1, batchOf(value), 0)
        stored.then(
          () => acked++,
          () => {},
        )
        if (random.next() < 0.7) await stored
      }
      const before = acked
      const cut = disk.crash(
        (op) => random.pick(op.kind === 'write' ? fates : fates.slice(0, 2)) ?? 'dropped',
        {},
      )
      await assertThere(cut, before, `seed ${seed}`)
      await store.abandon()
    }
  })

  it('do without a reserve where the disk has no room for one', async () => {
    const disk = new MemoryDisk()
    const full = changed(disk, {
      create: async (path) => {
        const file = await disk.create(path)
        const write: typeof file.write = async (parts, position) => {
          const bytes = parts.reduce((sum, part) => sum + part.length, 0)
          // Only zeros to make room are so long here.
          if (path === 'wal.reserve' && bytes > 1_000)
            throw Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' })
          await file.write(parts, position)
        }
        return { ...file, write }
      },
    })
    const store = await filled(full, 100)
    await store.whenDurable()
    assert.ok(!disk.paths().includes('wal.reserve'))
    await store.abandon()
    await assertThere(disk, 100)
  })

  it('of the first version are read, and begun anew in the second', async () => {
    const disk = new MemoryDisk()
    const file = await disk.create(walPath(1))
    await file.write([Buffer.from(versionOne, 'base64')], 0)
    await file.sync()
    await disk.syncFolder('.')
    const { store } = await openStore(disk)
    assert.deepEqual([...(await valuesIn(store, 1)).values()], ['one', 'two', 'three'])
    await store.append(1, batchOf('four'), 0)
    await store.abandon()
    assert.equal(disk.content((await openWal(disk)).path)[7], 2)
    const { store: again } = await openStore(disk)
    assert.equal([...(await valuesIn(again, 1)).values()].join(' '), 'one two three four')
    await again.close()
  })

  it('of which a sealed one has lost its end are damage, which a repair takes out', async () => {
    const disk = new MemoryDisk()
    const gate = Promise.withResolvers<void>()
    // Handing on is held, so that the sealed file stays.
    const slow = changed(disk, {
      makeFolder: async (path) => {
        await gate.promise
        await disk.makeFolder(path)
      },
    })
    const store = await filled(slow, 7)
    const { path: last } = await openWal(disk)
    const sealed = disk.paths().find((path) => /^wal-\d/.test(path) && path < last) ?? ''
    assert.ok(sealed !== '', `${disk.paths()}`)
    const cut = disk.crash(() => 'kept')
    gate.resolve()
    await store.abandon()

    const bytes = cut.content(sealed)
    const end = bytes.lastIndexOf('DQG\u0002')
    cut.flip(sealed, end + 1)
    const { store: damaged } = await openStore(cut)
    assert.equal(damaged.damage?.path, sealed)
    assert.throws(() => damaged.check(1), { code: 'LOG_DAMAGED' })
    await damaged.abandon()
    const repairs = await repairLog(cut)
    assert.deepEqual(
      repairs.map(({ path }) => path),
      [sealed, last],
    )
    await assertThere(cut, 1)
    assert.deepEqual(await repairLog(cut), [])
  })
})
