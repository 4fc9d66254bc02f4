import { createServer, type Socket as NodeSocket, Socket } from 'node:net'

/**
 * The least that a line server on Node can do: it reads what comes into one buffer, past node's
 * streams, looks at nothing but the ends of lines, and writes the same answer for each. What it costs
 * is the system's share and Node's. Argument: port.
 */
const [port = 0] = process.argv.slice(2).map(Number)
const answer =
  'AT Clark +173792201.263873386 c00.000000.bench.example +34.068930-118.445127 1621464827.000000000\n'
const answers = Array.from({ length: 65 }, (_, lines) => Buffer.from(answer.repeat(lines)))
const shared = Buffer.allocUnsafeSlow(65_536)

/** Node's own, and not documented; this is what the herd's server stands on, too. */
interface Handle {
  writeBuffer(request: object, bytes: Buffer): number
  writeLatin1String(request: object, text: string): number
}
let request: object | undefined

function take(handle: Handle, socket: NodeSocket, length: number): void {
  let lines = 0
  for (let at = 0; at < length; at++) if (shared[at] === 10) lines++
  if (request) {
    handle.writeBuffer(request, answers[lines] ?? Buffer.from(answer.repeat(lines)))
    return
  }
  const write = handle.writeLatin1String
  handle.writeLatin1String = (made, text) => {
    handle.writeLatin1String = write
    const Request = Object.getPrototypeOf(made).constructor as new () => object
    request = new Request()
    return write.call(handle, made, text)
  }
  socket.write(answer.repeat(lines), 'latin1')
}

const server = createServer({ pauseOnConnect: true }, (accepted) => {
  const owner = accepted as { _handle?: Handle | null }
  const handle = owner._handle as Handle
  owner._handle = null
  accepted.destroy()
  const onread = {
    buffer: shared,
    callback: (length: number) => {
      take(handle, socket, length)
      return true
    },
  }
  const options: object = { handle, onread }
  const socket: NodeSocket = new Socket(options)
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.resume()
})
server.listen(port, '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
