import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryDisk } from '../../src/log/memory-disk.ts'
import { repairLog } from '../../src/log/repair.ts'
import { batchOf, openStore, openWal, valuesIn } from './store-under-test.ts'

const count = 60

/** A store with many small segments and the last batches in its write-ahead file. */
async function filled(close: boolean): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const { store } = await openStore(disk)
  await store.event({ type: 'log.open', id: 1, ...{ start: 0 } })
  for (let at = 0; at < count; at++) await store.append(1, batchOf(`m${at}`, '.'.repeat(40)), 0)
  if (close) await store.close()
  else await store.abandon()
  return disk
}

/** Flips the bits of `bytes` bytes of a file. */
async function spoil(disk: MemoryDisk, path: string, position: number, bytes: number) {
  const file = await disk.open(path)
  const part = Buffer.alloc(bytes)
  await file.read(part, position)
  await file.write([part.map((byte) => byte ^ 255)], position)
  await file.sync()
  await file.close()
}

async function offsetsIn(disk: MemoryDisk): Promise<number[]> {
  const { store } = await openStore(disk, undefined, 99)
  assert.equal(store.damage, undefined)
  assert.equal(store.partitions.get(1)?.damage, undefined)
  const values = await valuesIn(store, 1)
  for (const [offset, value] of values)
    assert.equal(value, offset % 2 === 0 ? `m${offset / 2}` : '.'.repeat(40))
  await store.append(1, batchOf('after'), 0)
  await store.close()
  return [...values.keys()]
}

const all = Array.from({ length: 2 * count }, (_, offset) => offset)

describe('repair', () => {
  it('finds nothing in sound files and leaves them as they are', async () => {
    for (const close of [true, false]) {
      const disk = await filled(close)
      const before = disk.changes
      assert.deepEqual(await repairLog(disk), [])
      assert.equal(disk.changes, before)
      assert.deepEqual(await offsetsIn(disk), all)
    }
  })

  it('takes a spoilt batch out of a segment, keeps its bytes, and serves all else', async () => {
    const segments = (await filled(true)).paths().filter((path) => /^p1-.*\.log$/.test(path))
    assert.ok(segments.length > 3)
    // A header, a payload, the end of a batch, several batches, all behind the header.
    for (const [at, path] of segments.entries())
      for (const [position, bytes] of [
        [64, 1],
        [70, 3],
        [140, 2],
        [64, 700],
        [200, 100_000],
      ] as const) {
        const disk = await filled(true)
        const file = await disk.open(path)
        const length = Math.min(bytes, (await file.size()) - position)
        await spoil(disk, path, position, length)
        const repairs = await repairLog(disk)
        assert.equal(repairs.length, 1, `${path} ${position} ${bytes}`)
        const { offsets: [from, to] = [0, 0], aside = '' } = repairs[0] ?? {}
        const lost = all.filter((offset) => offset >= from && offset < to)
        assert.ok(lost.length > 0 && lost.length < all.length, `segment ${at}`)
        assert.deepEqual(
          await offsetsIn(disk),
          all.filter((offset) => !lost.includes(offset)),
        )
        assert.ok(disk.paths().includes(aside))
        assert.deepEqual(await repairLog(disk), [])
      }
  })

  it('cuts a write-ahead file where it is spoilt, and keeps the rest of it', async () => {
    const disk = await filled(false)
    const { path: wal, bytes } = await openWal(disk)
    assert.ok(bytes > 600, `${bytes} bytes`)
    const size = disk.content(wal).length
    await spoil(disk, wal, 400, 1)
    const { store } = await openStore(disk)
    assert.ok(store.damage)
    await store.abandon()

    const [repair, ...more] = await repairLog(disk)
    assert.deepEqual(more, [])
    assert.equal(repair?.path, wal)
    assert.equal(repair.bytes, size - repair.position)
    const found = await offsetsIn(disk)
    assert.deepEqual(found, all.slice(0, found.length))
    assert.ok(found.length < all.length)
  })

  it('does not pretend that a spoilt snapshot can be helped', async () => {
    const disk = await filled(true)
    const snapshot = disk.paths().find((path) => path.startsWith('state-')) ?? ''
    await spoil(disk, snapshot, 90, 1)
    await assert.rejects(repairLog(disk), { code: 'LOG_DAMAGED' })
  })
})
