// Answers every message of a WebSocket with the same words and who heard them.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const id = process.env.SERVER_ID ?? '0'
const server = createServer((request, response) => {
  // The health check asks for this; everything else is a WebSocket.
  response.writeHead(request.url === '/healthz' ? 200 : 426).end()
})
const sockets = new WebSocketServer({ server })

sockets.on('connection', (socket) => {
  socket.on('message', (message) => socket.send(`${id} heard: ${message}`))
  socket.on('error', (error) => console.error(error.message))
})

server.listen(Number(process.env.PORT), process.env.HOST)

process.once('SIGTERM', () => {
  for (const socket of sockets.clients) socket.close(1001, 'this replica is going away')
  server.close(() => process.exit(0))
})
