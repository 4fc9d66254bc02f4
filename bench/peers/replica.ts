// A replica that says who it is, and can be told to be slow.
//   GET /                       {"id":"1","pid":123,"port":40001}
//   GET /slow?ms=200&for=5000   answers take 200 ms for the next 5 s
import { createServer } from 'node:http'

const port = Number(process.env.PORT)
const who = JSON.stringify({ id: process.env.SERVER_ID, pid: process.pid, port })
let slowMs = 0
let slowUntilMs = 0

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://replica')
  if (pathname === '/slow') {
    slowMs = Number(searchParams.get('ms'))
    slowUntilMs = performance.now() + Number(searchParams.get('for'))
    response.end('slow')
  } else if (performance.now() < slowUntilMs) setTimeout(() => response.end(who), slowMs)
  else response.end(who)
})
server.listen(port, '127.0.0.1')
process.once('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
