import { once } from 'node:events'
import { Socket } from 'node:net'

/**
 * Sends lines to a herd server over many connections, each waiting for its answers before the next
 * lines, and prints how many were answered. Arguments: port, connections, lines at a time, seconds.
 */
const [port = 0, connections = 50, depth = 1, seconds = 5] = process.argv.slice(2).map(Number)
const clientsPerConnection = 1_000
let answered = 0
let isOver = false

/** Every client moves a little with each line, and its time goes on. */
function linesOf(connection: number, first: number): string {
  let lines = ''
  for (let number = first; number < first + depth; number++) {
    const client = `c${connection}.${number % clientsPerConnection}.bench.example`
    const north = 34 + (number % 997) / 1_000
    const west = 118 + (connection % 89) / 100
    const nanos = String(number % 1_000_000_000).padStart(9, '0')
    lines += `IAMAT ${client} +${north.toFixed(6)}-${west.toFixed(6)} 1621464827.${nanos}\n`
  }
  return lines
}

async function open(connection: number): Promise<Socket> {
  let sent = 0
  let waiting = 0
  const next = (): void => {
    socket.write(linesOf(connection, sent), 'latin1')
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
