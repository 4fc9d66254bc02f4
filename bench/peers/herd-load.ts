import { once } from 'node:events'
import { Socket } from 'node:net'

/**
 * Sends lines to a herd server over many connections, each waiting for its answers before the next
 * lines, and prints how many were answered. Arguments: port, connections, lines at a time,
 * seconds, and the number of the first line, so that a second run goes on where the first ended.
 */
const [port = 0, connections = 50, depth = 1, seconds = 5, firstLine = 0] = process.argv
  .slice(2)
  .map(Number)
const clientsPerConnection = 1_000
let answered = 0
let isOver = false

const digitsOfClient = 6
const digitsOfTime = 9
/** Where the numbers of a line begin. */
const line = 'IAMAT c00.000000.bench.example +34.068930-118.445127 1621464827.000000000\n'
const clientAt = line.indexOf('.000000') + 1
const timeAt = line.lastIndexOf('.') + 1

function writeDigits(target: Buffer, at: number, digits: number, value: number): void {
  let left = value
  for (let place = at + digits - 1; place >= at; place--) {
    target[place] = 48 + (left % 10)
    left = Math.floor(left / 10)
  }
}

/** The lines of one connection: the same bytes again and again, but for clients and times. */
function createLines(connection: number): (first: number) => Buffer {
  const bytes = Buffer.from(line.repeat(depth), 'latin1')
  for (let at = 0; at < bytes.length; at += line.length) writeDigits(bytes, at + 7, 2, connection)
  return (first) => {
    for (let index = 0; index < depth; index++) {
      const at = index * line.length
      const number = first + index
      writeDigits(bytes, at + clientAt, digitsOfClient, number % clientsPerConnection)
      writeDigits(bytes, at + timeAt, digitsOfTime, number)
    }
    return bytes
  }
}

async function open(connection: number): Promise<Socket> {
  let sent = firstLine
  let waiting = 0
  const linesFrom = createLines(connection)
  const next = (): void => {
    socket.write(linesFrom(sent))
    sent += depth
    waiting = depth
  }
  const socket = new Socket({
    onread: {
      buffer: Buffer.alloc(65_536),
      callback: (length, bytes) => {
        for (let at = 0; at < length; at++) if (bytes[at] === 10) waiting--
        if (waiting > 0) return true
        answered += depth
        if (!isOver) next()
        return true
      },
    },
  } as ConstructorParameters<typeof Socket>[0])
  socket.setNoDelay(true)
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('start', next)
  return socket
}

const sockets = await Promise.all(
  Array.from({ length: connections }, (_, connection) => open(connection)),
)
const startMs = performance.now()
for (const socket of sockets) socket.emit('start')
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
isOver = true
const elapsed = (performance.now() - startMs) / 1_000
process.stdout.write(`${JSON.stringify({ answered, perSecond: answered / elapsed })}\n`)
process.exit(0)
