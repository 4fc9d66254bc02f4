// Clients that ask for a large body, read a little and then no more; to see who buffers it.
// Usage: stalled-readers.js <url> <count>; prints "stalled" once all have stopped, ends on SIGTERM.
import { connect } from 'node:net'

const url = new URL(process.argv[2] ?? '')
const count = Number(process.argv[3])
const readBytes = 1_000_000
let stalled = 0

for (let client = 0; client < count; client++) {
  const socket = connect({ host: url.hostname, port: Number(url.port) })
  let got = 0
  socket.on('data', (chunk) => {
    const isFirstStop = got < readBytes
    got += chunk.length
    if (got < readBytes || !isFirstStop) return
    socket.pause()
    if (++stalled === count) process.stdout.write('stalled\n')
  })
  socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`)
}
