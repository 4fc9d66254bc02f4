import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { Fault, silentLog } from '@drover/kernel'
import { startQueue } from '../../src/start-queue.ts'
import { startLoad, until } from './load.ts'

describe('brokers as processes', () => {
  it('come and go under load: only what must moves, and nothing is lost, doubled or reordered', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'queue-brokers-'))
    const queue = await startQueue({ dataFolder: folder, brokers: 2, logger: silentLog })
    const { client } = queue
    const partitions = 8
    await client.createTopic('t', { partitions, attemptsMax: 1_000 })
    const load = await startLoad(() => client, 't', partitions)
    const change = async (name: string, how: 'add' | 'remove') => {
      await load.more(200)
      const before = (await client.placement()).get('t') ?? []
      await (how === 'add' ? client.addBroker(name) : client.removeBroker(name))
      const after = (await client.placement()).get('t') ?? []
      const moved = after.flatMap((owner, index) =>
        owner === before[index] ? [] : [how === 'add' ? owner : before[index]],
      )
      assert.ok(
        moved.every((broker) => broker === name),
        'a partition moved without need',
      )
      return after
    }

    const three = await change('broker2', 'add')
    const four = await change('broker3', 'add')
    await change('broker0', 'remove')
    const last = await change('broker2', 'remove')
    await load.more(200)
    await load.end()

    assert.ok(three.includes('broker2') || four.includes('broker3'), 'nothing moved at all')
    assert.ok(!last.includes('broker0') && !last.includes('broker2'))
    await queue.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('refuse to store on a full disk, serve what they have, and go on when there is room', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'queue-full-'))
    const run = promisify(execFile)
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder]).then(
      () => true,
      () => false,
    )
    if (!mounted) {
      t.skip('mounting a tmpfs needs root; the memory disk fails with ENOSPC in log/store.test.ts')
      await rm(folder, { recursive: true, force: true })
      return
    }
    try {
      const log = { walBytes: 262_144, segmentBytes: 262_144 }
      const limits = { diskUsedMax: 0.8 }
      const start = () =>
        startQueue({ dataFolder: folder, runBrokers: 'here', logger: silentLog, log, limits })
      let queue = await start()
      await queue.client.createTopic('t', { partitions: 1 })
      const value = Buffer.alloc(20_000, 'x')
      const acked: number[] = []
      let refusal: unknown
      await until('a refusal', async () => {
        try {
          const [receipt] = await queue.client.produce('t', [{ value }])
          acked.push(receipt?.offset ?? -1)
        } catch (error) {
          refusal = error
        }
        return refusal !== undefined
      })
      assert.ok(refusal instanceof Fault)
      assert.equal(refusal.code, 'DISK_FULL')
      assert.equal(refusal.status, 507)
      const read = async () => {
        let offset = 0
        for (;;) {
          const found = await queue.client.fetch('t', 0, { offset })
          if (found.records.length === 0) return offset
          offset = found.nextOffset
        }
      }
      assert.ok((await read()) >= acked.length)
      await queue.stop()
      queue = await start()
      assert.ok((await read()) >= acked.length)

      await queue.client.purge('t')
      await queue.manager.using.host.create('broker0').link.call('housekeep', {})
      await until('room again', async () => {
        const stored = await queue.client.produce('t', [{ value }]).catch(() => undefined)
        return stored !== undefined
      })
      await queue.stop()
    } finally {
      await run('umount', ['-l', folder])
      await rm(folder, { recursive: true, force: true })
    }
  })
})
