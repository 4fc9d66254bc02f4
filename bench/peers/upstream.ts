// What nginx is not there for: small answers on each port. Usage: upstream.js <port>...
import { createServer } from 'node:http'

for (const port of process.argv.slice(2).map(Number)) {
  const server = createServer((_, response) => response.end(`hello from ${port}`))
  server.keepAliveTimeout = 300_000
  server.listen(port, '127.0.0.1')
}
