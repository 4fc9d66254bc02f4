import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/**
 * Asks a herd server over WebSockets who is within a radius, each connection waiting for its answer
 * before the next question, and prints how many were answered. Each asks around 34 degrees north at
 * a whole longitude from 0 to 179, as the measurement of Redis does. Arguments: HTTP port,
 * connections, radius in km, seconds.
 */
const [port = 0, connections = 50, radiusKm = 150, seconds = 3] = process.argv.slice(2).map(Number)
let answered = 0
let hits = 0
let isOver = false

/** A text frame as a client must send it: masked. A mask of zeros is a mask, too. */
function frame(text: string): Buffer {
  const body = Buffer.from(text)
  if (body.length > 65_535) throw new RangeError('a question is too long')
  const head = Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 255, 0, 0, 0, 0])
  return Buffer.concat([head, body])
}

const questions = Array.from({ length: 180 }, (_, longitude) =>
  frame(
    JSON.stringify({
      find: 'q',
      circle: { latitude: 34, longitude, radiusKm },
      limit: 10_000,
      brief: true,
    }),
  ),
)

/** Returns the length of the frame that begins in `bytes`, head included; 0 when it is not known yet. */
function frameBytes(bytes: Buffer): number {
  if (bytes.length < 4) return 0
  const length = (bytes[1] as number) & 127
  if (length < 126) return length + 2
  if (length === 126) return bytes.readUInt16BE(2) + 4
  return bytes.length < 10 ? 0 : bytes.readUInt32BE(6) + 10
}

async function open(): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const key = randomBytes(16).toString('base64')
  const head = ['GET /v1/live HTTP/1.1', `Host: 127.0.0.1:${port}`, 'Connection: Upgrade']
  const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`]
  socket.write(`${[...head, ...upgrade].join('\r\n')}\r\n\r\n`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  if (!first.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(`${first}`)
  return socket
}

function askOn(socket: Socket): void {
  let kept: Buffer = Buffer.alloc(0)
  const next = () => socket.write(questions[Math.floor(Math.random() * 180)] as Buffer)
  socket.on('data', (chunk: Buffer) => {
    kept = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
    const length = frameBytes(kept)
    if (length === 0 || kept.length < length) return
    // One answer in a hundred is looked at, so that looking costs nothing.
    if (answered % 100 === 0) hits += kept.toString('latin1').split('"client"').length - 1
    kept = Buffer.alloc(0)
    answered++
    if (!isOver) next()
  })
  next()
}

const sockets = await Promise.all(Array.from({ length: connections }, open))
const startMs = performance.now()
for (const socket of sockets) askOn(socket)
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
isOver = true
const perSecond = answered / ((performance.now() - startMs) / 1_000)
const found = hits / Math.ceil(answered / 100)
process.stdout.write(`${JSON.stringify({ answered, perSecond, hits: found })}\n`)
process.exit(0)
