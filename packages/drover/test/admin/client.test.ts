import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { type TestContext, test } from 'node:test'
import { createAdminClient } from '../../src/admin/client.ts'

async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

test('a fault of the instance is thrown as it was there', async (context) => {
  const problem = { code: 'UNKNOWN_SERVICE', status: 404, detail: 'no service', retry: 'never' }
  const url = await serve(context, (_, response) => {
    response.writeHead(404).end(JSON.stringify(problem))
  })

  await assert.rejects(createAdminClient({ url, token: undefined }).get('/v1/x'), {
    code: 'UNKNOWN_SERVICE',
    message: 'no service',
    retry: 'never',
  })
})

test('an answer of something else is told apart', async (context) => {
  const url = await serve(context, (_, response) => {
    response.writeHead(500).end('<h1>hello</h1>')
  })

  await assert.rejects(createAdminClient({ url, token: undefined }).get('/v1/x'), {
    code: 'ADMIN_STRANGE',
    message: new RegExp(`${url} answered 500`),
  })
})

test('nobody there is NOT_RUNNING, to be tried later', async () => {
  const client = createAdminClient({ url: 'http://127.0.0.1:1', token: undefined })

  await assert.rejects(client.get('/v1/status'), { code: 'NOT_RUNNING', retry: 'later' })
})

test('the token is shown, and bodies are JSON', async (context) => {
  const url = await serve(context, (request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () =>
      response.end(JSON.stringify({ body, shown: request.headers.authorization })),
    )
  })

  const answer = await createAdminClient({ url, token: 'abc' }).post('/v1/x', { replicas: 3 })

  assert.deepEqual(answer, { body: '{"replicas":3}', shown: 'Bearer abc' })
})

test('server-sent events are read whole, wherever they are cut', async (context) => {
  const pieces = [': hello\n\nid: 1\nda', 'ta: {"n":1}\n', '\nid: 2\ndata: {"n":"', 'ö"}\n\n']
  const url = await serve(context, async (_, response) => {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece)
      response.write(bytes.subarray(0, -1))
      await new Promise((resolve) => setImmediate(resolve))
      response.write(bytes.subarray(-1))
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end()
  })

  const items: unknown[] = []
  const signal = new AbortController().signal
  for await (const item of createAdminClient({ url, token: undefined }).stream(
    '/v1/events',
    signal,
  ))
    items.push(item)

  assert.deepEqual(items, [{ n: 1 }, { n: 'ö' }])
})
