import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { Fault, silentLog } from '@drover/kernel'
import type { QueueClient } from '../../src/client/queue-client.ts'
import { connectQueue, startQueue } from '../../src/start-queue.ts'
import { startLoad, until } from './load.ts'

const run = promisify(execFile)

/** A disk of its own that can be full: needs the right to mount. */
async function mountDisk(bytes: string): Promise<{ folder: string; unmount(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'queue-disk-'))
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder])
  return {
    folder,
    async unmount() {
      await run('umount', ['-l', folder])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

describe('a disk that is full', () => {
  it('again and again, to the last byte, under load: nothing acknowledged is lost, and it goes on', async (context) => {
    const disk = await mountDisk('40m')
    // The mark is out of the way: the system itself says ENOSPC, in the middle of a write.
    const queue = await startQueue({
      dataFolder: join(disk.folder, 'queue'),
      brokers: 2,
      logger: silentLog,
      limits: { diskUsedMax: 1 },
      log: { walBytes: 16_384, segmentBytes: 131_072 },
    })
    const { client } = queue
    const partitions = 3
    await client.createTopic('t', { partitions, attemptsMax: 1_000, retentionMs: 0 })
    const load = await startLoad(() => client, 't', partitions)

    await client.createTopic('full', { partitions: 1 })
    const hasty = await connectQueue(queue.address, { patienceMs: 500 })
    context.after(async () => {
      await hasty.stop()
      await queue.stop()
      await disk.unmount()
    })
    const ballast = join(disk.folder, 'ballast')
    const refusals: string[] = []
    for (let round = 0; round < 4 || (round < 20 && !refusals.includes('DISK_FAILED')); round++) {
      await load.more(200)
      await fill(ballast)
      await until('a refusal', async () => {
        const code = await refusalOf(hasty)
        if (code) refusals.push(code)
        return code !== undefined
      })
      await rm(ballast)
      await until('room again', async () => (await refusalOf(hasty)) === undefined)
    }
    assert.ok(refusals.includes('DISK_FAILED'), `no write met the full disk: ${refusals}`)
    for (const code of refusals) assert.ok(/DISK_FULL|DISK_FAILED|UNREACHABLE/.test(code), code)
    await load.end()

    assert.ok(load.acked > 800, `${load.acked} messages were acknowledged`)
  })
})

/** Takes what room there is, so that the next write has none. */
async function fill(path: string): Promise<void> {
  const { bavail, bsize } = await statfs(join(path, '..'))
  // Somebody else may take the last of it first: then this is written as far as it goes.
  await writeFile(path, Buffer.alloc(bavail * bsize)).catch(() => {})
}

/** Why a message cannot be stored now; undefined when it can. */
async function refusalOf(client: QueueClient): Promise<string | undefined> {
  try {
    await client.produce('full', [{ value: Buffer.alloc(1_000) }])
    return undefined
  } catch (error) {
    if (error instanceof Fault) return error.code
    throw error
  }
}
