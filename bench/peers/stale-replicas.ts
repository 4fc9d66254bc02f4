// Replicas that close a connection after a second without a request. Every second one says so
// beforehand (Keep-Alive: timeout=1), the others do not. Usage: stale-replicas.js <port>...
import { createServer, type Socket } from 'node:net'

const idleMs = 1_000

for (const [index, port] of process.argv.slice(2).map(Number).entries()) {
  const hint = index % 2 === 0 ? 'Keep-Alive: timeout=1\r\n' : ''
  const answer = `HTTP/1.1 200 OK\r\n${hint}Content-Length: 2\r\n\r\nok`
  createServer((socket) => serve(socket, answer)).listen(port, '127.0.0.1')
}

function serve(socket: Socket, answer: string): void {
  let idle = setTimeout(() => {}, 0)
  let rest = ''
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1')
    for (let end = rest.indexOf('\r\n\r\n'); end !== -1; end = rest.indexOf('\r\n\r\n')) {
      rest = rest.slice(end + 4)
      socket.write(answer)
    }
    clearTimeout(idle)
    idle = setTimeout(() => socket.destroy(), idleMs)
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => clearTimeout(idle))
}
