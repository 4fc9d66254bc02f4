// A replica as plain as can be: any program that listens on PORT can be one, in any language.
import { createServer } from 'node:http'

const port = Number(process.env.PORT ?? 5000)
const host = process.env.HOST ?? '0.0.0.0'
const id = process.env.SERVER_ID ?? '0'

const home = JSON.stringify({ message: `Hello from Server: ${id}`, status: 'successful' })

const server = createServer((request, response) => {
  const path = request.url?.split('?', 1)[0]
  if (request.method !== 'GET' && request.method !== 'HEAD') answer(response, 404)
  else if (path === '/home') answer(response, 200, home)
  else if (path === '/heartbeat') answer(response, 200)
  else answer(response, 404)
})

function answer(response, status, body = '') {
  if (body !== '') response.setHeader('content-type', 'application/json')
  // Told to end: this connection brings no more requests.
  if (!server.listening) response.setHeader('connection', 'close')
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

server.on('error', (error) => {
  console.error(`cannot listen on ${host}:${port}: ${error.message}`)
  process.exit(1)
})

server.listen(port, host, () => console.log(`server ${id} listens on ${host}:${port}`))

// What is under way is finished; new connections are refused, idle ones closed.
for (const signal of ['SIGTERM', 'SIGINT'])
  process.once(signal, () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  })
