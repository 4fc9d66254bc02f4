import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { fault } from '../src/errors.ts'
import { createHttpServer } from '../src/http-server.ts'
import { silentLog } from '../src/log.ts'

const options = { title: 'Sample', description: 'For tests', log: silentLog }

test('a fault thrown by a route becomes a problem document', async () => {
  const server = await createHttpServer(options)
  server.get('/late', () => {
    throw fault('DEADLINE_PASSED', 'the map took 3 s')
  })

  const answer = await server.inject('/late')

  assert.equal(answer.statusCode, 504)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  assert.deepEqual(answer.json(), {
    type: 'urn:drover:fault:DEADLINE_PASSED',
    title: 'deadline passed',
    status: 504,
    code: 'DEADLINE_PASSED',
    detail: 'the map took 3 s',
    retry: 'later',
  })
})

test('an unforeseen error tells the client nothing of its inside', async () => {
  const server = await createHttpServer(options)
  server.get('/boom', () => {
    throw new Error('password=hunter2')
  })

  const answer = await server.inject('/boom')

  assert.equal(answer.statusCode, 500)
  assert.equal(answer.json().code, 'INTERNAL')
  assert.ok(!answer.body.includes('hunter2'))
})

test('a body that does not fit its schema is refused, naming the field', async () => {
  const server = await createHttpServer(options)
  const body = Type.Object({ replicas: Type.Integer({ minimum: 1 }) })
  server.post('/scale', { schema: { body } }, () => ({}))

  const answer = await server.inject({ method: 'POST', url: '/scale', payload: { replicas: 'x' } })

  assert.equal(answer.statusCode, 400)
  assert.equal(answer.json().code, 'REQUEST_INVALID')
  assert.match(answer.json().detail, /replicas/)
})

test('a body with a key that nobody knows is refused, naming the key', async () => {
  const server = await createHttpServer(options)
  const body = Type.Object({ replicas: Type.Integer() }, { additionalProperties: false })
  server.post('/scale', { schema: { body } }, () => ({}))

  const answer = await server.inject({ method: 'POST', url: '/scale', payload: { replcas: 3 } })

  assert.equal(answer.statusCode, 400)
  assert.equal(
    answer.json().detail,
    'body must have required property \'replicas\'; body: unknown key "replcas"; did you mean "replicas"?',
  )
})

test('numbers are numbers in a body; in a query they are text', async () => {
  const server = await createHttpServer(options)
  const seven = Type.Object({ count: Type.Integer() })
  server.post('/count', { schema: { body: seven, querystring: seven } }, ({ query }) => query)
  const ask = (count: unknown) =>
    server.inject({ method: 'POST', url: '/count?count=7', payload: { count } })

  const right = await ask(7)
  const wrong = await ask('7')

  assert.deepEqual(right.json(), { count: 7 })
  assert.equal(wrong.statusCode, 400)
  assert.equal(wrong.json().detail, 'body/count must be integer')
})

test('an unknown path is a fault that names it', async () => {
  const server = await createHttpServer(options)

  const answer = await server.inject('/nothing?here=1')

  assert.equal(answer.statusCode, 404)
  assert.match(answer.json().detail, /no GET \/nothing here/)
})

test('the API describes itself', async () => {
  const server = await createHttpServer(options)
  server.get('/hello', { schema: { summary: 'Greets' } }, () => 'hello')

  const answer = await server.inject('/openapi.json')

  assert.equal(answer.json().info.title, 'Sample')
  assert.equal(answer.json().paths['/hello'].get.summary, 'Greets')
})
