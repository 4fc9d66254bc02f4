import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { after, test } from 'node:test'
import { replicaOf } from './replica-of.ts'

const replica = await replicaOf({ after })
const { ask, server } = replica
const url = await server.listen({ port: 0, host: '127.0.0.1' })
const ann = await replica.user('ann@example.org')
const headers = { authorization: `Bearer ${ann.token}` }

for (const [method, path, allow] of [
  ['PUT', '/receive_data', 'POST, OPTIONS'],
  ['GET', '/users/', 'POST, OPTIONS'],
  ['DELETE', '/test_endpoint', 'GET, HEAD, OPTIONS'],
  ['PATCH', '/v1/jobs', 'POST, GET, HEAD, OPTIONS'],
  ['POST', '/v1/jobs/some', 'GET, HEAD, OPTIONS'],
  ['PUT', '/v1/schedules/some', 'GET, HEAD, DELETE, OPTIONS'],
] as const)
  test(`${method} ${path} is refused by what there is: ${allow}`, async () => {
    const refused = await server.inject({ method, url: path, payload: '{"half' })
    const asked = await server.inject({ method: 'OPTIONS', url: path })

    assert.equal(refused.statusCode, 405)
    assert.equal(refused.json().code, 'METHOD_REFUSED')
    for (const answer of [refused, asked]) assert.equal(answer.headers.allow, allow)
    assert.equal(asked.statusCode, 204)
    assert.equal(asked.body, '')
  })

test('what is not there at all is 404 by every method', async () => {
  for (const method of ['GET', 'PUT', 'OPTIONS'] as const)
    assert.equal((await server.inject({ method, url: '/v1/nothing' })).statusCode, 404, method)
})

test('the document tells of none of this', async () => {
  const { paths } = (await ask(ann, 'GET', '/openapi.json')).json()

  assert.deepEqual(Object.keys(paths['/v1/jobs']).toSorted(), ['get', 'post'])
  assert.ok(!('/token/' in paths))
})

test('HEAD of a watch ends, and the next request on its connection is answered', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  after(() => agent.destroy())
  const send = (method: string, path: string) =>
    new Promise<{ status: number | undefined; type: string | undefined }>((resolve, reject) => {
      const sent = request(`${url}${path}`, { method, agent, headers, timeout: 20_000 })
      sent.once('response', (answer) => {
        const { statusCode: status, headers: got } = answer
        answer.resume().once('end', () => resolve({ status, type: got['content-type'] }))
      })
      sent.once('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)))
      sent.once('error', reject).end()
    })

  const watch = await send('HEAD', '/v1/jobs/watch')
  const next = await send('GET', '/test_endpoint')

  assert.equal(watch.status, 200)
  assert.match(watch.type ?? '', /^text\/event-stream/)
  assert.equal(next.status, 200)
})
