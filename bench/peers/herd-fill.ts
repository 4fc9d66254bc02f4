import { once } from 'node:events'
import { connect } from 'node:net'

/**
 * Tells a herd server of clients spread evenly over the globe, and ends when all are answered.
 * Arguments: port, how many.
 */
const [port = 0, clients = 0] = process.argv.slice(2).map(Number)
const perWrite = 1_000
const socket = connect({ port, host: '127.0.0.1' })
await once(socket, 'connect')
let answered = 0
socket.on('data', (bytes: Buffer) => {
  for (const byte of bytes) if (byte === 10) answered++
})

function signed(degrees: number): string {
  return `${degrees < 0 ? '-' : '+'}${Math.abs(degrees).toFixed(6)}`
}

for (let first = 0; first < clients; first += perWrite) {
  let lines = ''
  for (let client = first; client < Math.min(clients, first + perWrite); client++) {
    const latitude = (Math.asin(Math.random() * 1.99 - 0.995) * 180) / Math.PI
    const place = signed(latitude) + signed(Math.random() * 360 - 180)
    lines += `IAMAT client${client} ${place} 1621464827.959498503\n`
  }
  if (!socket.write(lines)) await once(socket, 'drain')
}
while (answered < clients) await new Promise((resolve) => setTimeout(resolve, 10))
process.exit(0)
