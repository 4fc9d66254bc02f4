import assert from 'node:assert/strict'
import { connect } from 'node:net'
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
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  after(() => socket.destroy())
  const head = (method: string, path: string) =>
    `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${headers.authorization}\r\n\r\n`
  let said = ''

  socket.setTimeout(20_000, () => socket.destroy(new Error(`no more than this came: ${said}`)))
  socket.write(head('HEAD', '/v1/jobs/watch') + head('GET', '/test_endpoint'))
  for await (const part of socket.setEncoding('utf8')) {
    said += part
    if (said.includes('request received.')) break
  }

  assert.match(said, /^HTTP\/1.1 200 OK\r\n.*text\/event-stream.*HTTP\/1.1 200 OK/s)
})
