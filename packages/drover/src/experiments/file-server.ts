// A replica for the experiment `files`: serves as many bytes as the path says, and hashes them first, as a
// server does that answers with an ETag, so that a call costs time by its size.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

const most = 64 * 2 ** 20
const content = Buffer.alloc(most, 'drover ')

const server = createServer((request, response) => {
  const bytes = Math.min(most, Number(/^\/files\/(\d+)$/.exec(request.url ?? '')?.[1] ?? 0))
  const body = content.subarray(0, bytes)
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`
  response.writeHead(200, { etag, 'content-length': bytes }).end(body)
})

server.listen(Number(process.env.PORT), process.env.HOST)
process.once('SIGTERM', () => server.close(() => process.exit(0)))
