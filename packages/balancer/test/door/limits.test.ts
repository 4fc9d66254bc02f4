import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { ListenerLimits, ServicePlan } from '../../src/plan.ts'
import { until } from '../until.ts'
import { header, type Message, statusOf, targetOf } from './messages.ts'
import { listenerOf, planOf, replicaOf, serviceOf } from './plans.ts'
import { startDoor, startTimedDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

const get = (lines = '') => `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`
const codeOf = (answer: Message) => JSON.parse(answer.body.toString()).code
const limits = (given: Partial<ListenerLimits>): ListenerLimits => ({
  connectionsMax: 100,
  headBytesMax: 16_384,
  headersMax: 100,
  bodyBytesMax: 0,
  ...given,
})

async function start(
  t: TestContext,
  given: Partial<ListenerLimits>,
  service: Partial<ServicePlan> = {},
  trusted: readonly string[] = [],
) {
  const upstream = await startUpstream(t)
  const listener = listenerOf({ limits: limits(given) })
  const door = await startTimedDoor(
    t,
    planOf(serviceOf([upstream.port], service), listener, trusted),
  )
  return { upstream, door }
}

describe('heads', () => {
  test('have the size that the listener allows, and not a byte more', async (t) => {
    const { door, upstream } = await start(t, { headBytesMax: 500 })
    const sized = (bytes: number) => get(`X: ${'x'.repeat(bytes - get('X: \r\n').length)}\r\n`)

    const client = await door.client()
    client.send(sized(500) + sized(500))
    assert.equal(statusOf(await client.answer()), 200)
    assert.equal(statusOf(await client.answer()), 200)
    client.send(sized(501))
    assert.equal(statusOf(await client.answer()), 431)
    assert.equal(upstream.requests.length, 2)
  })

  test('have as many lines as the listener allows, and not one more', async (t) => {
    const { door } = await start(t, { headersMax: 5 })
    const client = await door.client()

    client.send(get('X: 1\r\n'.repeat(4)))
    assert.equal(statusOf(await client.answer()), 200)
    client.send(get('X: 1\r\n'.repeat(5)))
    assert.equal(statusOf(await client.answer()), 431)
  })

  for (const [name, lines] of [
    ['lines', 'X: 1\r\n'.repeat(150)],
    ['lines that hide framing', `${'X: 1\r\n'.repeat(120)}Transfer-Encoding: chunked\r\n`],
    ['bytes', `X: ${'x'.repeat(20_000)}\r\n`],
  ] as const)
    test(`have no more ${name} than 16 KiB and 100 lines, whatever the listener says`, async (t) => {
      const { door, upstream } = await start(t, { headersMax: 1_000, headBytesMax: 1_000_000 })
      const client = await door.client()

      client.send(get(lines))

      assert.equal(statusOf(await client.answer()), 431)
      assert.equal(upstream.text, '')
    })
})

describe('bodies over the limit', () => {
  const over = { bodyBytesMax: 10 }

  test('are refused by their length, before a byte of them was read', async (t) => {
    const { door, upstream } = await start(t, over)
    const client = await door.client()

    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n')

    const answer = await client.answer()
    assert.equal(statusOf(answer), 413)
    assert.equal(codeOf(answer), 'BODY_TOO_LARGE')
    await client.untilEnded()
    assert.equal(upstream.text, '')
  })

  test('are refused where their chunks pass it, and never end at the replica', async (t) => {
    const { door, upstream } = await start(t, over)
    const client = await door.client()

    client.send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '6\r\nabcdef\r\n6\r\nghijkl\r\n0\r\n\r\n',
    )

    assert.equal(statusOf(await client.answer()), 413)
    await client.untilEnded()
    assert.deepEqual(upstream.requests, [])
  })

  test('do not concern those that just fit', async (t) => {
    const { door } = await start(t, over)
    const client = await door.client()

    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789')
    assert.equal(statusOf(await client.answer()), 200)
    client.send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n',
    )
    assert.equal(statusOf(await client.answer()), 200)
  })
})

describe('connections over the limit', () => {
  test('are closed at once, and the place is free again when one ends', async (t) => {
    const { door } = await start(t, { connectionsMax: 2 })
    const [first, second] = [await door.client(), await door.client()]
    second.send(get())
    await second.answer()

    const third = await door.client()
    await third.untilEnded()
    first.socket.end()
    await until(
      'a free place',
      async () => (await door.engine.stats()).listeners[0]?.connectionsOpen === 1,
    )

    const fourth = await door.client()
    fourth.send(get())
    assert.equal(statusOf(await fourth.answer()), 200)
    const { listeners } = await door.engine.stats()
    assert.equal(listeners[0]?.connectionsRefusedTotal, 1)
    assert.equal(listeners[0]?.connectionsTotal, 4)
  })
})

describe('the rate of one client', () => {
  const rateLimit = { perSecond: 2, burst: 3 }

  test('is limited with 429 and Retry-After, and grows again with time', async (t) => {
    const { door, upstream } = await start(t, {}, { rateLimit })
    const client = await door.client()
    const ask = async () => {
      client.send(get())
      return await client.answer()
    }

    for (let round = 0; round < 3; round++) assert.equal(statusOf(await ask()), 200)
    const answer = await ask()
    assert.equal(statusOf(answer), 429)
    assert.equal(codeOf(answer), 'RATE_LIMITED')
    assert.match(header(answer, 'retry-after') ?? '', /^\d+$/)

    await door.clock.advance(1_000)
    assert.equal(statusOf(await ask()), 200)
    assert.equal(statusOf(await ask()), 200)
    assert.equal(statusOf(await ask()), 429)
    assert.equal(upstream.requests.length, 5)
    assert.equal((await door.service()).rateLimitedTotal, 2)
    assert.deepEqual(
      door.events.filter(({ kind }) => kind === 'failed'),
      [],
    )
  })

  test('is counted by what is sure, where a proxy tells no address', async (t) => {
    const { door } = await start(t, {}, { rateLimit }, ['127.0.0.1', '10.0.0.0/8'])
    const proxy = await door.client()
    const statuses: number[] = []
    for (let round = 0; round < 6; round++) {
      proxy.send(get(`X-Forwarded-For: 9.9.9.${round}, 6.6.6.6:1234, 10.0.0.1\r\n`))
      statuses.push(statusOf(await proxy.answer()))
    }
    assert.deepEqual(statuses, [200, 200, 200, 429, 429, 429])
  })

  test('is not shared by clients behind a trusted proxy, nor escaped by what a client says', async (t) => {
    const trusted = await start(t, {}, { rateLimit }, ['127.0.0.1'])
    const proxy = await trusted.door.client()
    for (let round = 0; round < 6; round++) {
      proxy.send(get(`X-Forwarded-For: 6.6.6.6, 10.0.0.${round}\r\n`))
      assert.equal(statusOf(await proxy.answer()), 200)
    }

    const stranger = await start(t, {}, { rateLimit })
    const client = await stranger.door.client()
    const statuses: number[] = []
    for (let round = 0; round < 6; round++) {
      client.send(get(`X-Forwarded-For: 10.0.0.${round}\r\n`))
      statuses.push(statusOf(await client.answer()))
    }
    assert.deepEqual(statuses, [200, 200, 200, 429, 429, 429])
  })
})

describe('sticky sessions', () => {
  const sticky = { cookie: 'herd', secret: 'a secret of some length' }

  async function startSticky(t: TestContext) {
    const replicas = await Promise.all(
      [1, 2, 3].map((name) => startUpstream(t, { answer: () => ok(`${name}`) })),
    )
    const service = serviceOf(
      replicas.map(({ port }) => port),
      { sticky },
    )
    const door = await startDoor(t, planOf(service))
    const client = await door.client()
    const ask = async (cookie = '') => {
      client.send(get(cookie === '' ? '' : `Cookie: a=b; ${cookie}; c=d\r\n`))
      const answer = await client.answer()
      const given = header(answer, 'set-cookie')
      return { name: answer.body.toString(), given, cookie: given?.split(';')[0] ?? '' }
    }
    return { replicas, service, door, ask }
  }

  test('bring a client back to its replica, and give no second cookie', async (t) => {
    const { ask } = await startSticky(t)
    const first = await ask()
    assert.match(first.given ?? '', /^herd=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/)

    for (let round = 0; round < 10; round++) {
      const again = await ask(first.cookie)
      assert.equal(again.name, first.name)
      assert.equal(again.given, undefined)
    }
  })

  test('take no forged cookie for one of ours', async (t) => {
    const { ask } = await startSticky(t)
    const { cookie } = await ask()
    const [id = '', signature = ''] = cookie.slice('herd='.length).split('.')
    const other = Buffer.from('r1').toString('base64url')
    const forged = [
      id,
      `${id}.`,
      `.${signature}`,
      `${other}.${signature}`,
      `${id}.${signature.slice(1)}`,
      `${id}.${signature}x`,
      `${id}.${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : 'A'}`,
      'x'.repeat(5_000),
      '',
    ]

    for (const value of forged) {
      const answer = await ask(`herd=${value}`)
      assert.ok(answer.given, value)
    }
  })

  test('give way to another replica when theirs is gone, drains, or dies', async (t) => {
    const { ask, door, replicas, service } = await startSticky(t)
    const { cookie, name } = await ask()
    const own = replicas[Number(name) - 1]
    assert.ok(own)

    const draining = service.replicas.map((replica) =>
      replica.port === own.port ? replicaOf(own.port, { draining: true }) : replica,
    )
    await door.engine.apply(planOf({ ...service, replicas: draining }))
    const second = await ask(cookie)
    assert.notEqual(second.name, name)
    assert.ok(second.given)

    await door.engine.apply(planOf(service))
    assert.equal((await ask(cookie)).name, name)
    await own.close()
    const third = await ask(cookie)
    assert.notEqual(third.name, name)
  })

  test('end with another secret, and with another name', async (t) => {
    const { ask, door, service } = await startSticky(t)
    const { cookie } = await ask()

    await door.engine.apply(planOf({ ...service, sticky: { ...sticky, secret: 'another one' } }))
    assert.ok((await ask(cookie)).given)
    await door.engine.apply(planOf({ ...service, sticky: { ...sticky, cookie: 'flock' } }))
    assert.match((await ask(cookie)).given ?? '', /^flock=/)
  })
})

test('a busy replica is passed over', async (t) => {
  const busy = await startUpstream(t, {
    answer: (request) => (targetOf(request) === '/slow' ? undefined : ok('busy')),
  })
  const free = await startUpstream(t, { answer: () => ok('free') })
  const door = await startDoor(t, planOf(serviceOf([busy.port, free.port], { inFlightMax: 1 })))
  const slow = await door.client()
  while (busy.requests.length === 0) {
    slow.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
    await until('it to arrive', () => busy.requests.length + free.requests.length > 0)
  }

  const client = await door.client()
  for (let round = 0; round < 10; round++) {
    client.send(get())
    assert.equal((await client.answer()).body.toString(), 'free')
  }
})
