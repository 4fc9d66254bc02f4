import assert from 'node:assert/strict'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { runLoad } from '../load.ts'

async function listen(context: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => new Promise((resolve) => server.close(resolve)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

function serveHttp(context: TestContext, answer: RequestListener): Promise<string> {
  return listen(context, createHttpServer(answer))
}

/** A server that answers the n-th request of all its connections with bytes of its own. */
function serveRaw(
  context: TestContext,
  answer: (socket: Socket, request: number) => void,
): Promise<string> {
  let requests = 0
  return listen(
    context,
    createServer((socket) => {
      socket.on('data', () => answer(socket, ++requests))
      socket.on('error', () => {})
    }),
  )
}

test('every request is sent once, over as many connections as asked for', async (context) => {
  const sockets = new Set<Socket>()
  let seen = 0
  const url = await serveHttp(context, (request, response) => {
    sockets.add(request.socket)
    seen++
    response.end('ok')
  })

  const result = await runLoad({ url, connections: 4, requests: 200 })

  assert.equal(seen, 200)
  assert.equal(sockets.size, 4)
  assert.deepEqual([result.sent, result.answered, result.failed], [200, 200, {}])
  assert.deepEqual(result.byStatus, { 200: 200 })
  assert.equal(result.latencies.count, 200)
})

test('statuses are counted and bodies shown, however they are framed', async (context) => {
  const bodies: string[] = []
  const url = await serveHttp(context, (_, response) => {
    const kind = bodies.length % 4
    response.statusCode = 200 + kind
    if (kind === 0) response.end('whole')
    else if (kind === 1) {
      response.write('in ')
      setImmediate(() => response.end('chunks'))
    } else if (kind === 2) {
      response.setHeader('Connection', 'close')
      response.removeHeader('Content-Length')
      response.end('and close')
    } else response.end()
  })

  const result = await runLoad({
    url,
    connections: 1,
    requests: 8,
    onAnswer: ({ body }) => bodies.push(body.toString()),
  })

  const expected = ['whole', 'in chunks', 'and close', '']
  assert.deepEqual(bodies, [...expected, ...expected])
  assert.deepEqual(result.byStatus, { 200: 2, 201: 2, 202: 2, 203: 2 })
})

test('method, headers and body go over the wire', async (context) => {
  let got = ''
  const url = await serveHttp(context, async (request, response) => {
    for await (const chunk of request) got += chunk
    got += ` ${request.method} ${request.headers['x-word']}`
    response.end()
  })

  await runLoad({
    url,
    connections: 1,
    requests: 1,
    method: 'PUT',
    headers: { 'X-Word': 'hello' },
    body: 'payload',
  })

  assert.equal(got, 'payload PUT hello')
})

test('a generated body arrives whole, however slowly the server takes it', async (context) => {
  const bytes = 3_000_001
  let got = 0
  const url = await serveHttp(context, async (request, response) => {
    for await (const chunk of request) {
      got += chunk.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end()
  })

  const result = await runLoad({
    url,
    connections: 2,
    requests: 4,
    method: 'POST',
    bodyBytes: bytes,
  })

  assert.deepEqual(result.byStatus, { 200: 4 })
  assert.equal(got, 4 * bytes)
})

test('a server that nobody listens on fails each request by name', async (context) => {
  const server = createServer()
  const url = await listen(context, server)
  await new Promise((resolve) => server.close(resolve))

  const result = await runLoad({ url, connections: 2, requests: 6 })

  assert.deepEqual(result.failed, { 'connect: ECONNREFUSED': 6 })
  assert.deepEqual([result.sent, result.answered], [6, 0])
})

test('a connection closed before and within the answer are told apart', async (context) => {
  const url = await serveRaw(context, (socket, request) => {
    if (request === 1) socket.end()
    else if (request === 2) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })

  const result = await runLoad({ url, connections: 1, requests: 3 })

  assert.deepEqual(result.failed, { 'closed before the answer': 1, 'closed within the answer': 1 })
  assert.equal(result.answered, 1)
})

test('a connection closed between two requests is no failure', async (context) => {
  const url = await serveRaw(context, (socket) =>
    socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
  )

  const result = await runLoad({ url, connections: 1, requests: 5 })

  assert.deepEqual([result.answered, result.failed], [5, {}])
})

test('an answer that goes on until the connection closes is whole', async (context) => {
  const url = await serveRaw(context, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'))
  const bodies: string[] = []

  await runLoad({
    url,
    connections: 1,
    requests: 2,
    onAnswer: ({ body }) => bodies.push(body.toString()),
  })

  assert.deepEqual(bodies, ['all of it', 'all of it'])
})

test('answers that arrive byte by byte are read like others', async (context) => {
  const answer =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '4;x=y\r\nfour\r\n0\r\nTrailer: t\r\n\r\n'
  const url = await serveRaw(context, (socket) => {
    socket.setNoDelay(true)
    const sendFrom = (at: number): void => {
      if (at < answer.length) socket.write(answer.charAt(at), () => setImmediate(sendFrom, at + 1))
    }
    sendFrom(0)
  })
  const bodies: string[] = []

  const result = await runLoad({
    url,
    connections: 1,
    requests: 2,
    onAnswer: ({ body }) => bodies.push(body.toString()),
  })

  assert.deepEqual(bodies, ['four', 'four'])
  assert.deepEqual(result.failed, {})
})

test('bytes that are no answer, and bytes after one, are failures', async (context) => {
  const url = await serveRaw(context, (socket, request) =>
    socket.write(request === 1 ? 'SMTP ready\r\n\r\n' : 'HTTP/1.1 204 No\r\n\r\nmore'),
  )

  const result = await runLoad({ url, connections: 1, requests: 2 })

  assert.deepEqual(result.failed, {
    'malformed: not a status line: SMTP ready': 1,
    'malformed: bytes follow the answer': 1,
  })
})

test('a silent server fails the request at its deadline', async (context) => {
  const url = await serveRaw(context, () => {})

  const result = await runLoad({ url, connections: 1, requests: 1, timeoutMs: 50 })

  assert.deepEqual(result.failed, { 'no answer in time': 1 })
})

test('an open loop sends what its rate and duration make', async (context) => {
  const url = await serveHttp(context, (_, response) => response.end())

  const result = await runLoad({ url, connections: 8, ratePerSecond: 400, durationMs: 250 })

  assert.equal(result.sent + result.unsent, 100)
  assert.equal(result.answered, result.sent)
})

test('in an open loop the wait for a free connection counts as latency', async (context) => {
  let heldMs = 0
  const url = await serveHttp(context, (_, response) => {
    const sinceMs = performance.now()
    const hold = (turns: number): void => {
      if (turns > 0) return void setImmediate(hold, turns - 1)
      heldMs ||= performance.now() - sinceMs
      response.end()
    }
    hold(heldMs === 0 ? 500 : 0)
  })

  const result = await runLoad({ url, connections: 1, ratePerSecond: 1e9, requests: 20 })

  assert.equal(result.answered, 20)
  assert.ok(
    result.latencies.percentile(1) > heldMs * 0.99,
    'some request did not wait for the first',
  )
})

test('a load that is told to stop waits for what is under way', async (context) => {
  const controller = new AbortController()
  const url = await serveHttp(context, (_, response) => {
    controller.abort()
    setImmediate(() => response.end())
  })

  const result = await runLoad({
    url,
    connections: 3,
    durationMs: 60_000,
    signal: controller.signal,
  })

  assert.equal(result.answered, result.sent)
  assert.ok(result.sent >= 1 && result.sent <= 6)
})

test('a load without a bound, or to another protocol, is refused', async () => {
  await assert.rejects(runLoad({ url: 'http://a/', connections: 1 }), /durationMs or requests/)
  await assert.rejects(runLoad({ url: 'https://a/', connections: 1, requests: 1 }), /only http:/)
})
