import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { until } from '../until.ts'
import { header, type Message, statusOf, targetOf } from './messages.ts'
import type { Peer } from './peer.ts'
import { planOf, serviceOf } from './plans.ts'
import { type RunningDoor, startDoor } from './running-door.ts'
import { type Answering, ok, startUpstream, type Upstream } from './upstream.ts'

interface Running {
  readonly upstream: Upstream
  readonly door: RunningDoor
  readonly client: Peer
}

async function start(t: TestContext, answer?: Answering): Promise<Running> {
  const upstream = await startUpstream(t, answer ? { answer } : {})
  const door = await startDoor(t, planOf(serviceOf([upstream.port])))
  return { upstream, door, client: await door.client() }
}

const host = 'Host: a\r\n'
const get = (target = '/') => `GET ${target} HTTP/1.1\r\n${host}\r\n`

function framingOf({ framing, headers }: Message) {
  const lines = headers.filter(([name]) => /^(content-length|transfer-encoding)$/.test(name))
  return [framing, lines.map(([name, value]) => `${name}: ${value}`).join()]
}

describe('a request body', () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'GET', 'PROPFIND'])
    test(`in chunks goes on in chunks with ${method}`, async (t) => {
      const { upstream, client } = await start(t)

      client.send(
        `${method} /x HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n` +
          '6\r\nGET / \r\n0005\r\nHTTP/\r\n0\r\n\r\n',
      )

      assert.equal(statusOf(await client.answer(method)), 200)
      const [seen] = upstream.requests
      assert.ok(seen)
      assert.deepEqual(framingOf(seen), ['chunked', 'transfer-encoding: chunked'])
      assert.equal(seen.body.toString(), 'GET / HTTP/')
      assert.equal(upstream.text.length, seen.end)
    })

  test('with a length goes on with the length', async (t) => {
    const { upstream, client } = await start(t)

    client.send(`DELETE /x HTTP/1.1\r\n${host}content-length:   0005\r\n\r\nabcde`)

    await client.answer()
    const [seen] = upstream.requests
    assert.ok(seen)
    assert.deepEqual(framingOf(seen), ['length', 'content-length: 5'])
    assert.equal(seen.body.toString(), 'abcde')
  })

  test('of no bytes is told where a length is expected, and nowhere else', async (t) => {
    const { upstream, client } = await start(t)

    for (const method of ['POST', 'PUT', 'PATCH', 'GET', 'DELETE']) {
      client.send(`${method} / HTTP/1.1\r\n${host}\r\n`)
      await client.answer()
    }

    const told = upstream.requests.map((seen) => header(seen, 'content-length'))
    assert.deepEqual(told, ['0', '0', '0', undefined, undefined])
  })

  test('that is empty but in chunks ends like one', async (t) => {
    const { upstream, client } = await start(t)

    client.send(`POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${get('/2')}`)

    await client.answer()
    await client.answer()
    assert.deepEqual(upstream.requests.map(targetOf), ['/', '/2'])
  })

  test('takes its trailers along, without those that frame or route', async (t) => {
    const { upstream, client } = await start(t)

    client.send(
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\n` +
        'X-Sum: 1 \r\nHost: evil\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: close\r\nContent_Length: 9\r\n' +
        'Upgrade: h2c\r\nX-More:\r\n\r\n',
    )

    await client.answer()
    assert.deepEqual(upstream.requests[0]?.trailers, [
      ['x-sum', '1'],
      ['x-more', ''],
    ])
  })

  test('is sent on while it comes, and the answer comes back while it goes', async (t) => {
    const upstream = await startUpstream(t, {
      connection(peer) {
        let told = false
        peer.onChange(() => {
          if (told || !peer.text.includes('\r\n\r\n')) return
          told = true
          peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        })
      },
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send(`POST /echo HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`)
    await client.untilText('\r\n\r\n')
    const [replica] = upstream.connections
    assert.ok(replica)

    for (const word of ['one', 'two', 'three']) {
      client.send(`${word.length}\r\n${word}\r\n`)
      await replica.untilText(`${word.length}\r\n${word}\r\n`)
      replica.send(`${word.length}\r\n${word}\r\n`)
      await client.untilText(`\r\n${word}\r\n`)
    }
    client.send('0\r\n\r\n')
    await replica.untilText('\r\n0\r\n\r\n')
    replica.send('0\r\n\r\n')

    const answer = await client.answer()
    assert.equal(answer.body.toString(), 'onetwothree')
    client.send(get('/again'))
    await replica.untilText('GET /again')
  })
})

describe('answers', () => {
  const numbered: Answering = (request) => ok(targetOf(request))

  test('to pipelined requests come in their order', async (t) => {
    const { upstream, client } = await start(t, numbered)

    client.send(Array.from({ length: 200 }, (_, index) => get(`/${index}`)).join(''))

    for (let index = 0; index < 200; index++)
      assert.equal((await client.answer()).body.toString(), `/${index}`)
    assert.equal(upstream.requests.length, 200)
  })

  test('to pipelined requests with bodies of both kinds come in their order', async (t) => {
    const { upstream, client } = await start(t, (request) => ok(request.body.toString()))
    const bodies = Array.from({ length: 60 }, (_, index) => `body ${index}`)

    client.send(
      bodies
        .map((body, index) =>
          index % 2 === 0
            ? `POST / HTTP/1.1\r\n${host}Content-Length: ${body.length}\r\n\r\n${body}`
            : `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n` +
              `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
        )
        .join(''),
    )

    for (const body of bodies) assert.equal((await client.answer()).body.toString(), body)
    assert.equal(upstream.requests.length, 60)
  })

  test('in chunks go on in chunks, with their trailers', async (t) => {
    const { client } = await start(
      t,
      () =>
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n' +
        '3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\nConnection: close\r\n\r\n',
    )

    client.send(get())

    const answer = await client.answer()
    assert.deepEqual(framingOf(answer), ['chunked', 'transfer-encoding: chunked'])
    assert.equal(answer.body.toString(), 'abcde')
    assert.deepEqual(answer.trailers, [['x-sum', '5']])
  })

  test('without a length end with the connection of the replica, not of the client', async (t) => {
    const { client, upstream } = await start(t, (_, peer) => {
      peer.socket.end('HTTP/1.1 200 OK\r\n\r\nall that there is')
      return undefined
    })

    for (let round = 0; round < 2; round++) {
      client.send(get())
      const answer = await client.answer()
      assert.deepEqual(framingOf(answer), ['chunked', 'transfer-encoding: chunked'])
      assert.equal(answer.body.toString(), 'all that there is')
    }
    assert.equal(upstream.connections.length, 2)
  })

  test('of HTTP/1.0 are taken, and end the connection of the replica', async (t) => {
    const { client, upstream } = await start(
      t,
      () => 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
    )

    for (let round = 0; round < 2; round++) {
      client.send(get())
      const answer = await client.answer()
      assert.equal(answer.start, 'HTTP/1.1 200 OK')
      assert.equal(answer.body.toString(), 'ok')
    }
    assert.equal(upstream.connections.length, 2)
  })

  test('of HTTP/1.0 with keep-alive leave the connection open', async (t) => {
    const text = 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'
    const { client, upstream } = await start(t, () => text)

    for (let round = 0; round < 2; round++) {
      client.send(get())
      await client.answer()
    }
    assert.equal(upstream.connections.length, 1)
  })

  for (const words of ['close, keep-alive', 'keep-alive, close'])
    test(`of HTTP/1.0 with ${words} end the connection of the replica`, async (t) => {
      const text = `HTTP/1.0 200 OK\r\nConnection: ${words}\r\nContent-Length: 2\r\n\r\nok`
      const { client, upstream } = await start(t, () => text)

      for (let round = 0; round < 2; round++) {
        client.send(get())
        await client.answer()
      }
      assert.equal(upstream.connections.length, 2)
    })

  const bodiless = [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n', '99'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', undefined],
    ['HEAD', 'HTTP/1.1 200 OK\r\n\r\n', undefined],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', undefined],
    ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', undefined],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n', '99'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n', undefined],
    ['GET', 'HTTP/1.1 304 Not Modified\r\n\r\n', undefined],
  ] as const
  for (const [method, text, length] of bodiless)
    test(`have no body: ${method}, ${JSON.stringify(text.trimEnd())}`, async (t) => {
      const { client, upstream } = await start(t, (request) =>
        targetOf(request) === '/next' ? ok('next') : text,
      )

      client.send(`${method} / HTTP/1.1\r\n${host}\r\n${get('/next')}`)

      const answer = await client.answer(method)
      assert.equal(header(answer, 'content-length'), length)
      assert.equal(header(answer, 'transfer-encoding'), undefined)
      assert.equal((await client.answer()).body.toString(), 'next')
      assert.equal(upstream.connections.length, 1)
    })
})

describe('a client of HTTP/1.0', () => {
  const old = (lines = '') => `GET / HTTP/1.0\r\n${host}${lines}\r\n`
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n'

  test('gets an answer in chunks without the chunks, ended by the connection', async (t) => {
    const { client } = await start(t, () => chunked)

    client.send(old())

    const answer = await client.answer()
    assert.deepEqual(framingOf(answer), ['close', ''])
    assert.equal(answer.body.toString(), 'abcde')
    assert.equal(header(answer, 'connection'), 'close')
  })

  test('keeps its connection when it asks to and the length is known', async (t) => {
    const { client } = await start(t)

    for (let round = 0; round < 3; round++) {
      client.send(old('Connection: keep-alive\r\n'))
      assert.equal(header(await client.answer(), 'connection'), 'keep-alive')
    }
  })

  test('does not keep its connection behind an answer without a length', async (t) => {
    const { client } = await start(t, () => chunked)

    client.send(old('Connection: keep-alive\r\n'))

    const answer = await client.answer()
    assert.equal(header(answer, 'connection'), 'close')
    await client.untilEnded()
  })

  test('gets no informational answer', async (t) => {
    const { client } = await start(t, () => `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok()}`)

    client.send(old())

    await client.answer()
    assert.ok(client.text.startsWith('HTTP/1.1 200'))
  })

  test('sees a reset when an answer that ends with the connection breaks off', async (t) => {
    const { client, upstream } = await start(t, () => chunked.slice(0, -20))
    client.send(old())
    await client.untilText('abc')

    upstream.connections[0]?.socket.destroy()

    await until('the end', () => client.closed)
    assert.equal(client.reset, true)
  })
})

test('the connections of a door know no leftovers of another client', async (t) => {
  const { door, upstream } = await start(t, (request) => ok(targetOf(request)))
  const clients = await Promise.all(Array.from({ length: 20 }, () => door.client()))

  for (let round = 0; round < 10; round++) {
    for (const [index, client] of clients.entries()) client.send(get(`/${index}-${round}`))
    for (const [index, client] of clients.entries())
      assert.equal((await client.answer()).body.toString(), `/${index}-${round}`)
  }

  await until('every request', () => upstream.requests.length === 200)
  assert.ok(upstream.connections.length <= 20)
})
