import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseAddress, silentLog, systemClock } from '@drover/kernel'
import { startQueue } from '../../src/start-queue.ts'
import { frameHead, frameKinds } from '../../src/wire/frames.ts'
import { createTcpLink } from '../../src/wire/tcp-link.ts'

async function open(address: string): Promise<Socket> {
  const socket = connect(parseAddress(address)).on('error', () => {})
  await once(socket, 'connect')
  return socket.resume()
}

async function residentBytes(pid: number): Promise<number> {
  const [, pages = '0'] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')
  return Number(pages) * 4_096
}

/** What strangers send: each is one connection, left open when its other side leaves it open. */
function strangers(): Buffer[] {
  const giant = (bytes: number) => {
    const head = Buffer.alloc(16)
    head.writeUInt32LE(bytes, 0)
    head.writeUInt8(1, 4)
    return head
  }
  const produce = frameHead(frameKinds.request, 1, ['produce', { id: 1 }], [Buffer.alloc(300)])
  return [
    Buffer.from('POST /v1/topics/t/messages HTTP/1.1\r\ncontent-length: 10\r\n\r\n'),
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
    randomBytes(3_000),
    giant(0xffff_ffff),
    giant(9_000_000),
    // Half a frame, then nothing.
    produce.subarray(0, 11),
    Buffer.concat([produce, Buffer.alloc(100)]),
    frameHead(frameKinds.request, 1, ['produce', { id: 'x' }], []),
    frameHead(frameKinds.request, 2, ['fetch', { id: 1, from: { offset: 1e9 } }], []),
    frameHead(frameKinds.request, 3, ['topic.create', { topic: '../../etc' }], []),
    frameHead(frameKinds.request, 4, ['topic.create', { topic: 7, options: 'no' }], []),
    frameHead(frameKinds.request, 5, ['broker.add', { name: ['a'] }], []),
    Buffer.concat(
      Array.from({ length: 3_000 }, (_, number) =>
        frameHead(frameKinds.request, number, ['wait', { ids: [1], group: 'g', waitMs: 1e9 }], []),
      ),
    ),
  ]
}

describe('ports of manager and brokers', () => {
  it('stand what strangers send: memory stays bounded, nothing is stored, all goes on', async (context) => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'queue-hostile-'))
    const queue = await startQueue({ dataFolder, brokers: 1, logger: silentLog })
    context.after(async () => {
      await queue.stop()
      await rm(dataFolder, { recursive: true, force: true })
    })
    const { client } = queue
    await client.createTopic('t', { partitions: 1 })
    await client.produce('t', [{ value: Buffer.from('before') }])
    const [broker] = await client.brokers()
    assert.ok(broker?.pid)
    const { pid } = broker
    const before = await residentBytes(pid)

    const sockets: Socket[] = []
    for (const address of [broker.address, queue.address])
      for (let round = 0; round < 12; round++)
        for (const bytes of strangers()) {
          const socket = await open(address)
          socket.write(bytes)
          sockets.push(socket)
        }
    // A call behind them all has its answer only when theirs were looked at.
    const link = createTcpLink(broker.address, systemClock)
    const { result } = await link.call('bounds', { ids: [1] })
    await link.close()

    assert.deepEqual((result as { endOffset: number }[])[0]?.endOffset, 1, 'something was stored')
    const grown = (await residentBytes(pid)) - before
    assert.ok(grown < 150_000_000, `${grown} bytes more for ${sockets.length} strangers`)
    assert.deepEqual(
      (await client.topics()).map(({ name }) => name),
      ['t'],
    )
    assert.deepEqual(
      (await client.brokers()).map(({ name, pid: same }) => [name, same]),
      [['broker0', pid]],
    )
    const [receipt] = await client.produce('t', [{ value: Buffer.from('after') }])
    assert.equal(receipt?.offset, 1)
    for (const socket of sockets) socket.destroy()
  })
})
