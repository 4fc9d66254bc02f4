import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { AnswerPlan, ListenerPlan, RouteMatch, RoutePlan } from '../../src/plan.ts'
import { header, type Message, statusOf, targetOf } from './messages.ts'
import { listenerOf, planOf, serviceOf } from './plans.ts'
import { startDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

/** A listener whose routes answer with their own names. */
function named(matches: Readonly<Record<string, RouteMatch>>): ListenerPlan {
  const routes = Object.entries(matches).map(
    ([name, match]): RoutePlan => ({
      name,
      match,
      action: { kind: 'answer', status: 200, contentType: 'text/plain', body: name },
    }),
  )
  return listenerOf({ routes })
}

interface Asking {
  readonly method?: string
  readonly target?: string
  readonly host?: string
  readonly lines?: string
}

async function start(t: TestContext, listener: ListenerPlan, answers: readonly AnswerPlan[] = []) {
  const upstream = await startUpstream(t, {
    answer: (request) =>
      targetOf(request) === '/fails'
        ? 'HTTP/1.1 500 Oops\r\nContent-Length: 5\r\nX-Own: 1\r\n\r\nsorry'
        : ok(targetOf(request)),
  })
  const door = await startDoor(t, planOf(serviceOf([upstream.port], { answers }), listener))
  const client = await door.client()
  const ask = async ({ method = 'GET', target = '/', host = 'a', lines = '' }: Asking) => {
    client.send(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`)
    return await client.answer(method)
  }
  return { upstream, door, ask }
}

/** The route that took a request: its name, or 404. */
async function routeOf(asked: Promise<Message>): Promise<string> {
  const answer = await asked
  return statusOf(answer) === 200 ? answer.body.toString() : `${statusOf(answer)}`
}

describe('a route is chosen', () => {
  test('by host, with port and letters of either case, and by wildcard', async (t) => {
    const { ask } = await start(
      t,
      named({
        exact: { hosts: ['Example.test', 'other.test'] },
        deep: { hosts: ['*.Deep.test'] },
        address: { hosts: ['::1', '127.0.0.1'] },
      }),
    )

    for (const [host, expected] of [
      ['example.test', 'exact'],
      ['EXAMPLE.TEST:8080', 'exact'],
      ['other.test', 'exact'],
      ['a.deep.test', 'deep'],
      ['a.b.DEEP.test:1', 'deep'],
      ['deep.test', '404'],
      ['notdeep.test', '404'],
      ['example.test.evil', '404'],
      ['evil-example.test', '404'],
      ['[::1]:80', 'address'],
      ['127.0.0.1', 'address'],
    ] as const)
      assert.equal(await routeOf(ask({ host })), expected, host)
  })

  test('by path and by prefix, the query apart', async (t) => {
    const { ask } = await start(
      t,
      named({
        exact: { path: '/one' },
        folder: { pathPrefix: '/api/' },
        prefix: { pathPrefix: '/two' },
      }),
    )

    for (const [target, expected] of [
      ['/one', 'exact'],
      ['/one?x=/api/', 'exact'],
      ['/one/', '404'],
      ['/One', '404'],
      ['/api/', 'folder'],
      ['/api/x', 'folder'],
      ['/api', '404'],
      ['/two', 'prefix'],
      ['/two?x', 'prefix'],
      ['/two/x', 'prefix'],
      ['/twofold', '404'],
      ['/x/../two', '404'],
    ] as const)
      assert.equal(await routeOf(ask({ target })), expected, target)
  })

  test('by method and header, the first that fits', async (t) => {
    const { ask } = await start(
      t,
      named({
        both: { methods: ['POST'], headers: { 'x-kind': 'a' } },
        method: { methods: ['POST', 'PUT'] },
        any: { headers: { 'x-kind': '*' } },
        rest: {},
      }),
    )

    for (const [asking, expected] of [
      [{ method: 'POST', lines: 'X-Kind: a\r\n' }, 'both'],
      [{ method: 'POST', lines: 'X-Kind: A\r\n' }, 'method'],
      [{ method: 'PUT', lines: 'X-Kind: a\r\n' }, 'method'],
      [{ lines: 'x-KIND:   b  \r\n' }, 'any'],
      [{ lines: 'X_Kind: a\r\n' }, 'rest'],
      [{}, 'rest'],
    ] as const)
      assert.equal(await routeOf(ask(asking)), expected)
  })

  test('or there is none, and the client is told so', async (t) => {
    const { ask, upstream } = await start(t, listenerOf({ routes: [] }))

    const answer = await ask({ target: '/x' })

    assert.equal(statusOf(answer), 404)
    assert.equal(JSON.parse(answer.body.toString()).code, 'NO_ROUTE')
    assert.equal(upstream.text, '')
    assert.equal(statusOf(await ask({ target: '/y' })), 404)
  })
})

describe('a route that leads to a service', () => {
  const stripping = (stripPrefix: string) =>
    listenerOf({
      routes: [
        {
          name: 'all',
          match: { pathPrefix: stripPrefix },
          action: { kind: 'service', service: 'web', stripPrefix },
        },
      ],
    })

  for (const [prefix, target, expected] of [
    ['/api', '/api/users?x=1', '/users?x=1'],
    ['/api', '/api', '/'],
    ['/api', '/api?x=1', '/?x=1'],
    ['/api', '/api//evil.test/', '//evil.test/'],
    ['/api/', '/api/users', '/users'],
    ['/api/', '/api/', '/'],
    ['/', '/users', '/users'],
  ] as const)
    test(`strips ${prefix} off ${target}`, async (t) => {
      const { ask } = await start(t, stripping(prefix))

      assert.equal((await ask({ target })).body.toString(), expected)
    })

  test('that is not there is answered with 404', async (t) => {
    const routes: RoutePlan[] = [
      { name: 'x', match: {}, action: { kind: 'service', service: 'nobody' } },
    ]
    const { ask } = await start(t, listenerOf({ routes }))

    assert.equal(statusOf(await ask({})), 404)
  })
})

describe('a route that redirects', () => {
  test('fills in host, path and query', async (t) => {
    const action = {
      kind: 'redirect',
      status: 308,
      location: 'https://{host}/new{path}{query}',
    } as const
    const { ask } = await start(t, listenerOf({ routes: [{ name: 'x', match: {}, action }] }))

    const answer = await ask({ target: "/a/$&/$'?b=$1", host: 'example.test:81' })

    assert.equal(statusOf(answer), 308)
    assert.equal(header(answer, 'location'), "https://example.test:81/new/a/$&/$'?b=$1")
  })

  test('does not wait for the body, nor takes it for a request', async (t) => {
    const action = { kind: 'redirect', status: 302, location: '/x' } as const
    const { ask, door } = await start(t, listenerOf({ routes: [{ name: 'x', match: {}, action }] }))
    assert.equal(statusOf(await ask({})), 302)
    const client = await door.client()

    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n')
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')

    assert.equal(statusOf(await client.answer()), 302)
    await client.untilEnded()
    assert.equal(client.text.match(/HTTP\/1\.1/g)?.length, 1)
  })
})

describe("a route with an answer of the door's own", () => {
  test('gives it, in UTF-8, and without its body to HEAD', async (t) => {
    const action = {
      kind: 'answer',
      status: 200,
      contentType: 'text/plain',
      body: 'gr\u00fc\u00df \u2713',
    } as const
    const { ask } = await start(t, listenerOf({ routes: [{ name: 'x', match: {}, action }] }))

    for (let round = 0; round < 2; round++) {
      assert.equal((await ask({})).body.toString(), 'gr\u00fc\u00df \u2713')
      const bare = await ask({ method: 'HEAD' })
      assert.equal(header(bare, 'content-length'), '10')
    }
  })

  for (const status of [204, 304])
    test(`of ${status} has neither body nor length, whatever it says`, async (t) => {
      const action = { kind: 'answer', status, contentType: 'text/plain', body: 'x' } as const
      const { ask } = await start(t, listenerOf({ routes: [{ name: 'x', match: {}, action }] }))

      for (let round = 0; round < 2; round++) {
        const answer = await ask({})
        assert.equal(statusOf(answer), status)
        assert.equal(header(answer, 'content-length'), undefined)
      }
    })
})

describe('an answer that takes the place of another', () => {
  const json = {
    status: 400,
    contentType: 'application/json',
    body: '{"message":"<Error> \'{path}\' {message}","code":"{code}"}',
  }
  const html = { status: 404, contentType: 'text/html', body: '<p>{path}</p>' }

  test("of a replica's is given in its stead", async (t) => {
    const { ask, upstream } = await start(t, listenerOf(), [{ status: 500, with: json }])

    for (let round = 0; round < 2; round++) {
      const answer = await ask({ target: '/fails' })
      assert.equal(statusOf(answer), 400)
      assert.equal(header(answer, 'x-own'), undefined)
      assert.equal(
        JSON.parse(answer.body.toString()).message,
        "<Error> '/fails' the replica answered 500",
      )
    }
    assert.equal(upstream.connections.length, 1)
    assert.equal((await ask({ target: '/well' })).body.toString(), '/well')
  })

  test("of the door's own is given in its stead, by its code or by *", async (t) => {
    for (const code of ['NO_REPLICA', '*']) {
      const service = serviceOf([], { answers: [{ code, with: json }] })
      const door = await startDoor(t, planOf(service))
      const client = await door.client()
      client.send('GET /x?y HTTP/1.1\r\nHost: a\r\n\r\n')

      const answer = await client.answer()

      assert.equal(statusOf(answer), 400)
      assert.equal(JSON.parse(answer.body.toString()).code, 'NO_REPLICA')
    }
  })

  test('is not broken out of by what a client writes', async (t) => {
    for (const [plan, target, expected] of [
      [
        json,
        '/"}],{"a":1',
        `{"message":"<Error> '/\\"}],{\\"a\\":1' no replica is ready","code":"NO_REPLICA"}`,
      ],
      [json, '/a\\', `{"message":"<Error> '/a\\\\' no replica is ready","code":"NO_REPLICA"}`],
      [
        json,
        '/{code}$&{message}',
        `{"message":"<Error> '/{code}$&{message}' no replica is ready","code":"NO_REPLICA"}`,
      ],
      [html, '/<script>&"\'', '<p>/&#60;script&#62;&#38;&#34;&#39;</p>'],
    ] as const) {
      const door = await startDoor(
        t,
        planOf(serviceOf([], { answers: [{ code: '*', with: plan }] })),
      )
      const client = await door.client()
      client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
      assert.equal((await client.answer()).body.toString(), expected)
    }
  })

  test('gives up a body that is too long to be read to its end', async (t) => {
    const upstream = await startUpstream(t, {
      answer: () => `HTTP/1.1 500 Oops\r\nContent-Length: 99999999\r\n\r\n${'x'.repeat(200_000)}`,
    })
    const service = serviceOf([upstream.port], { answers: [{ status: 500, with: html }] })
    const door = await startDoor(t, planOf(service))
    const client = await door.client()

    client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n')

    assert.equal((await client.answer()).body.toString(), '<p>/a</p>')
    assert.equal((await client.answer()).body.toString(), '<p>/b</p>')
    assert.equal(upstream.connections.length, 2)
  })
})
