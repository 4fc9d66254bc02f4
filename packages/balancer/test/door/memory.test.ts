import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { until, untilStill } from '../until.ts'
import { planOf, serviceOf } from './plans.ts'
import { type RunningDoor, startDoor } from './running-door.ts'

const bodyBytes = 256 * 2 ** 20
const piece = Buffer.alloc(2 ** 20, 'x')
/** Both ends of the connections live in this process too, with their buffers. */
const growthBytesMax = 96 * 2 ** 20

/** Ends that keep nothing of what they send and get. */
async function startReplica(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const server = createServer(serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

function openEnd(t: TestContext, door: RunningDoor): Socket {
  const socket = connect(door.port(), '127.0.0.1')
  t.after(() => socket.destroy())
  return socket
}

/** Writes a whole body, no faster than it is taken. */
async function pour(socket: Socket, chunked: boolean): Promise<void> {
  const size = `${piece.length.toString(16)}\r\n`
  for (let sent = 0; sent < bodyBytes; sent += piece.length) {
    if (chunked) socket.write(size)
    socket.write(piece)
    if (chunked) socket.write('\r\n')
    await until('the last piece to go', () => !socket.writableNeedDrain || socket.destroyed)
    if (socket.destroyed) return
  }
  if (chunked) socket.write('0\r\n\r\n')
}

/** Watches the memory of this process; `grown` is by how much it ever grew. */
function watchMemory() {
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let most = before
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss)
  }, 5).unref()
  return () => {
    clearInterval(timer)
    return most - before
  }
}

const framing = (chunked: boolean) =>
  chunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${bodyBytes}\r\n`

describe('memory stays flat while 256 MiB go through', () => {
  for (const chunked of [false, true]) {
    const name = chunked ? 'in chunks' : 'with a length'

    test(`towards the client, ${name}`, async (t) => {
      const port = await startReplica(t, (socket) => {
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\n${framing(chunked)}\r\n`)
          void pour(socket, chunked)
        })
        socket.on('error', () => {})
      })
      const door = await startDoor(t, planOf(serviceOf([port])))
      const client = openEnd(t, door)
      let length = 0
      client.on('data', (bytes) => {
        length += bytes.length
      })
      const grown = watchMemory()

      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await until('all of it', () => length > bodyBytes)

      assert.ok(grown() < growthBytesMax, `${grown()} bytes`)
    })

    test(`towards the replica, ${name}`, async (t) => {
      let length = 0
      const port = await startReplica(t, (socket) => {
        socket.on('data', (bytes) => {
          length += bytes.length
        })
        socket.on('error', () => {})
      })
      const door = await startDoor(t, planOf(serviceOf([port])))
      const client = openEnd(t, door)
      const grown = watchMemory()

      client.write(`PUT / HTTP/1.1\r\nHost: a\r\n${framing(chunked)}\r\n`)
      await pour(client, chunked)
      await until('all of it', () => length > bodyBytes)

      assert.ok(grown() < growthBytesMax, `${grown()} bytes`)
    })
  }
})

test('memory stays flat while twenty clients do not read what is sent to them', async (t) => {
  let taken = 0
  const port = await startReplica(t, (socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\n${framing(false)}\r\n`)
      void pour(socket, false)
    })
    socket.on('drain', () => {
      taken += piece.length
    })
    socket.on('error', () => {})
  })
  const door = await startDoor(t, planOf(serviceOf([port])))
  const grown = watchMemory()

  for (let index = 0; index < 20; index++) {
    const client = openEnd(t, door)
    client.pause()
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  }
  await until('the beginning', () => taken > 0)
  await untilStill(() => taken)

  assert.ok(taken < 20 * bodyBytes)
  assert.ok(grown() < growthBytesMax, `${grown()} bytes`)
})
