// Small answers, bodies of any size, and a sink for them, on each port. Usage: upstream.js <port>...
//   /               a small answer
//   /bodies/<n>     n bytes, with Content-Length
//   /sink           takes a body to its end, then 204
import { createServer, type ServerResponse } from 'node:http'

const chunk = Buffer.alloc(256 * 1_024, 'drover ')

for (const port of process.argv.slice(2).map(Number)) {
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    if (path === '/sink') {
      request.resume()
      request.on('end', () => response.writeHead(204).end())
      return
    }
    const bytes = /^\/bodies\/(\d+)$/.exec(path)?.[1]
    if (bytes === undefined) response.end(`hello from ${port}`)
    else sendBytes(response, Number(bytes))
  })
  server.keepAliveTimeout = 300_000
  server.requestTimeout = 0
  server.listen(port, '127.0.0.1')
}

/** Sends as fast as the other side takes, and no faster. */
function sendBytes(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { 'Content-Length': bytes })
  let left = bytes
  const send = (): void => {
    while (left > 0) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk
      left -= part.length
      if (!response.write(part)) break
    }
    if (left === 0) response.end()
    else response.once('drain', send)
  }
  send()
}
