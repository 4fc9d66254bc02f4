import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHttpServer, faults, silentLog } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { type Managed, mountManage } from '../../src/manage/routes.ts'

const fault = faults({
  NAME_TAKEN: { status: 409, retry: 'never' },
  ENGINE_FAILED: { status: 502, retry: 'later' },
})

/** Replicas that are names only. */
function managedNames(initial: readonly string[]): Managed {
  let names = [...initial]
  return {
    names: () => names,
    async add(count, given) {
      for (const name of given)
        if (names.includes(name))
          throw fault('NAME_TAKEN', `a replica called "${name}" runs already`)
      const invented = Array.from(
        { length: count - given.length },
        (_, index) => `Server x${index}`,
      )
      names = [...names, ...given, ...invented]
    },
    async remove(count, given) {
      const rest = names.filter((name) => !given.includes(name))
      names = rest.slice(count - given.length)
    },
  }
}

async function serverOf(managed: Managed): Promise<FastifyInstance> {
  const server = await createHttpServer({ title: 't', description: 'd', log: silentLog })
  mountManage(server, '', () => managed)
  return server
}

const three = ['Server 1', 'Server 2', 'Server 3']

test('GET /rep lists who runs, byte by byte as the contract has it', async () => {
  const server = await serverOf(managedNames(three))

  const { statusCode, payload, headers } = await server.inject('/rep')

  assert.equal(statusCode, 200)
  assert.match(String(headers['content-type']), /^application\/json/)
  assert.equal(
    payload,
    '{"message":{"N":3,"replicas":["Server 1","Server 2","Server 3"]},"status":"successful"}',
  )
})

test('POST /add answers with all replicas, the named ones first', async () => {
  const server = await serverOf(managedNames(three))

  const { payload } = await server.inject({
    method: 'POST',
    url: '/add',
    payload: { n: 3, hostnames: ['S5', 'S4'] },
  })

  assert.equal(
    payload,
    '{"message":{"N":6,"replicas":["Server 1","Server 2","Server 3","S5","S4","Server x0"]},"status":"successful"}',
  )
})

test('more hostnames than n is refused in the words of the contract', async () => {
  const server = await serverOf(managedNames(three))
  const payload = { n: 1, hostnames: ['S5', 'S4'] }

  const add = await server.inject({ method: 'POST', url: '/add', payload })
  const remove = await server.inject({ method: 'DELETE', url: '/rm', payload })

  assert.equal(add.statusCode, 400)
  assert.equal(
    add.payload,
    '{"message":"<Error> Length of hostname list is more than newly added instances","status":"failure"}',
  )
  assert.equal(remove.statusCode, 400)
  assert.equal(
    remove.payload,
    '{"message":"<Error> Length of hostname list is more than removable instances","status":"failure"}',
  )
})

test('DELETE and POST /rm, JSON, forms and JSON that is called a form do the same', async () => {
  const bodies: [type: string, body: string][] = [
    ['application/json', '{"n":1,"hostnames":["Server 2"]}'],
    ['application/x-www-form-urlencoded', 'n=1&hostnames=Server+2'],
    ['application/x-www-form-urlencoded', '{"n":1,"hostnames":["Server 2"]}'],
    ['application/x-www-form-urlencoded', 'server_id=Server%202'],
  ]
  for (const method of ['DELETE', 'POST'] as const)
    for (const [type, payload] of bodies) {
      const server = await serverOf(managedNames(three))

      const answer = await server.inject({
        method,
        url: '/rm',
        headers: { 'content-type': type },
        payload,
      })

      assert.equal(
        answer.payload,
        '{"message":{"N":2,"replicas":["Server 1","Server 3"]},"status":"successful"}',
      )
    }
})

test('whatever is refused is 400 in the shape of the contract', async () => {
  const server = await serverOf(managedNames(three))

  const taken = await server.inject({
    method: 'POST',
    url: '/add',
    payload: { n: 1, hostnames: ['Server 1'] },
  })
  const broken = await server.inject({
    method: 'POST',
    url: '/add',
    headers: { 'content-type': 'application/json' },
    payload: '{"n":',
  })

  assert.equal(taken.statusCode, 400)
  assert.equal(
    taken.payload,
    '{"message":"<Error> a replica called \\"Server 1\\" runs already","status":"failure"}',
  )
  assert.equal(broken.statusCode, 400)
  assert.match(
    broken.payload,
    /^\{"message":"<Error> the body is not JSON: .*","status":"failure"\}$/,
  )
})
