import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { QuickWriter } from '../src/server/quick-write.ts'
import { eventually } from './line-client.ts'

/** Two ends of a connection; the second one reads nothing before it is told to. */
async function pair(): Promise<{ near: Socket; far: Socket; close(): void }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const far = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [near] = (await once(server, 'connection')) as [Socket]
  far.pause()
  const close = () => {
    near.destroy()
    far.destroy()
    server.close()
  }
  return { near, far, close }
}

test('bytes arrive in order, whether the system takes them at once or not', async () => {
  const { near, far, close } = await pair()
  let drains = 0
  const writer = new QuickWriter(near, () => {
    drains++
  })
  const sent: Buffer[] = []
  let lent = Buffer.alloc(100_000)
  let wasKept = false
  for (let round = 0; round < 200; round++) {
    const length = round % 3 === 0 ? 100_000 : 100
    lent.fill(65 + (round % 26), 0, length)
    const bytes = lent.subarray(0, length)
    sent.push(Buffer.from(bytes))
    // What is still needed must not be changed: the next round gets other memory.
    if (!writer.write(bytes)) continue
    wasKept = true
    lent = Buffer.alloc(100_000)
  }
  assert.ok(wasKept, 'the system could not take it all')
  assert.ok(writer.waitingBytes > 0)
  const received: Buffer[] = []
  far.on('data', (bytes: Buffer) => received.push(bytes)).resume()
  near.end()
  await once(far, 'end')

  assert.ok(Buffer.concat(received).equals(Buffer.concat(sent)))
  assert.equal(writer.waitingBytes, 0)
  assert.ok(drains > 0)
  close()
})

test('a connection that the other end has reset is given up without a word', async () => {
  const { near, far, close } = await pair()
  const writer = new QuickWriter(near, () => {})
  near.on('error', () => {})
  far.resetAndDestroy()
  await eventually(() => {
    writer.write(Buffer.from('anybody there?\n'))
    return near.destroyed
  }, 'the socket to be destroyed')

  assert.equal(writer.write(Buffer.from('after the end\n')), false)
  close()
})

test('where nothing is known of the handle, the socket writes by itself', () => {
  const written: string[] = []
  const plain = {
    destroyed: false,
    writableEnded: false,
    writableLength: 0,
    write: (text: string) => written.push(text),
  }
  for (const handle of [undefined, null, {}, { writeBuffer: undefined }]) {
    const socket = { ...plain, _handle: handle } as unknown as Socket
    const writer = new QuickWriter(socket, () => {})
    assert.equal(writer.write(Buffer.from('h\xe9llo\n', 'latin1')), false)
  }
  assert.deepEqual(written, Array(4).fill('h\xe9llo\n'))
})
