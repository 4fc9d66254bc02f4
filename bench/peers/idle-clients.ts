// Keep-alive clients that ask once and then stay. Usage: idle-clients.js <port> <count>
// Prints "idle" once all have their answer; ends on SIGTERM.
import { connect } from 'node:net'

const port = Number(process.argv[2])
const count = Number(process.argv[3])
const opensAtOnce = 100
const request = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`
let opened = 0
let idle = 0

function open(): void {
  if (opened === count) return
  opened++
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(request)
  socket.once('data', () => {
    if (++idle === count) process.stdout.write('idle\n')
    open()
  })
  const lose = (why: string): void => {
    process.stderr.write(`lost a connection (${why}) with ${idle} idle\n`)
    process.exit(1)
  }
  socket.on('error', (error) => lose(error.message))
  socket.on('end', () => lose('closed'))
}

for (let lane = 0; lane < opensAtOnce; lane++) open()
