import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { seededRandom } from '@drover/kernel'
import { turns, until } from '../until.ts'
import { readAnswer } from './messages.ts'
import { openClient, type Peer } from './peer.ts'
import { listenerOf, planOf, serviceOf } from './plans.ts'
import { startDoor } from './running-door.ts'
import { startUpstream } from './upstream.ts'

const clients = 12
const bodyBytes = 3_000_000
const random = seededRandom(7)

/** A body that tells its owner and its place at every byte, so that no piece of another fits in. */
function bodyOf(index: number, length = bodyBytes): Buffer {
  const body = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4)
    body.writeUInt32BE(((index + 1) * 0x9e3779b1 + at * 0x85ebca6b) >>> 0, at)
  return body
}

/** A replica that sends back what it gets, with its own moods; a head first where there is one. */
async function startEcho(t: TestContext, head: string): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => echo(socket, head))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

function echo(socket: Socket, head: string): void {
  let behindHead = head === ''
  let start = ''
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
  socket.on('data', (bytes) => {
    let body = bytes
    if (!behindHead) {
      start += bytes.toString('latin1')
      const end = start.indexOf('\r\n\r\n')
      if (end < 0) return
      behindHead = true
      socket.write(head)
      body = Buffer.from(start.slice(end + 4), 'latin1')
    }
    if (!socket.write(body)) {
      socket.pause()
      socket.once('drain', () => socket.resume())
    }
  })
}

/** Sends `body` in pieces of all sizes, and reads with pauses of its own. */
async function sendMoodily(peer: Peer, body: Buffer, wrap: (piece: Buffer) => Buffer) {
  for (let at = 0; at < body.length; ) {
    const size = random.integer(1, random.integer(0, 3) === 0 ? 200_000 : 20_000)
    const isTaken = peer.socket.write(wrap(body.subarray(at, at + size)))
    at += size
    if (random.integer(0, 9) === 0) peer.socket.pause()
    else peer.socket.resume()
    if (!isTaken) {
      peer.socket.resume()
      await once(peer.socket, 'drain')
    }
  }
  peer.socket.resume()
}

test('bodies that pass at the same time do not mix, in TCP', async (t) => {
  const port = await startEcho(t, '')
  const listener = listenerOf({ protocol: 'tcp', service: 'web' })
  const door = await startDoor(t, planOf(serviceOf([port]), listener))

  await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const client = await openClient(t, door.port())
      const body = bodyOf(index)
      await sendMoodily(client, body, (piece) => piece)
      client.socket.end()
      await until('the echo', () => client.ended)
      assert.ok(client.bytes.equals(body), `body ${index}`)
    }),
  )
})

test('bodies that pass at the same time do not mix, in HTTP', async (t) => {
  const port = await startEcho(t, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  const door = await startDoor(t, planOf(serviceOf([port])))
  const chunk = (piece: Buffer) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])

  await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const client = await openClient(t, door.port())
      const body = bodyOf(index)
      client.send('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
      await sendMoodily(client, body, chunk)
      client.send('0\r\n\r\n')
      await until('the echo', () => client.bytes.subarray(-5).toString() === '0\r\n\r\n')
      const answer = readAnswer(client.bytes, 0, 'PUT', false)
      assert.ok(answer?.body.equals(body), `body ${index}`)
    }),
  )
})

// A piece under the socket's high-water mark that is still to be written does not stop the reading:
// the next piece must not be read into the memory of the one that waits.
test('a piece that waits for its reader is not overwritten by the next', async (t) => {
  const upstream = await startUpstream(t, { connection: () => {} })
  const listener = listenerOf({ protocol: 'tcp', service: 'web' })
  const door = await startDoor(t, planOf(serviceOf([upstream.port]), listener))
  for (const size of [40_000, 12_000, 60_000]) {
    const before = upstream.connections.length
    const client = await openClient(t, door.port())
    await until('a connection', () => upstream.connections.length > before)
    const replica = upstream.connections[before]
    assert.ok(replica)
    client.socket.pause()
    const sent: Buffer[] = []
    // The first piece is large enough for the door to expect a large body.
    for (let piece = 0; piece < 1_000 && replica.socket.writableLength === 0; piece++) {
      const bytes = bodyOf(piece, piece === 0 ? 60_000 : size)
      sent.push(bytes)
      replica.send(bytes)
      await turns(4)
    }

    client.socket.resume()
    replica.socket.end()

    await until('all of it', () => client.ended)
    assert.ok(client.bytes.equals(Buffer.concat(sent)), `pieces of ${size}`)
    client.socket.destroy()
  }
})
