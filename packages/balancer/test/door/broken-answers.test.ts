import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { until } from '../until.ts'
import { readAnswer, statusOf, targetOf } from './messages.ts'
import { planOf, serviceOf } from './plans.ts'
import { startDoor } from './running-door.ts'
import { ok, startUpstream } from './upstream.ts'

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`

/** A replica that answers /broken with `text`, everything else well. */
async function start(t: TestContext, text: string, then?: 'end' | 'destroy') {
  const upstream = await startUpstream(t, {
    answer(request, peer) {
      if (targetOf(request) !== '/broken') return ok(targetOf(request))
      if (then === undefined) return text
      peer.socket.write(Buffer.from(text, 'latin1'), () =>
        then === 'end' ? peer.socket.end() : peer.socket.destroy(),
      )
      return undefined
    },
  })
  const door = await startDoor(t, planOf(serviceOf([upstream.port])))
  return { upstream, door, client: await door.client() }
}

type Running = Awaited<ReturnType<typeof start>>

/** The next request must be answered rightly, over a connection that never saw the broken answer. */
async function expectFreshConnection({ upstream, door }: Running): Promise<void> {
  const broken = upstream.requests.find((request) => targetOf(request) === '/broken')?.connection
  const other = await door.client()
  for (const target of ['/next', '/after']) {
    other.send(get(target))
    assert.equal((await other.answer()).body.toString(), target)
    const seen = upstream.requests.find((request) => targetOf(request) === target)
    assert.notEqual(seen?.connection, broken)
  }
}

const length = 'Content-Length: 2\r\n'
const body = '\r\nok'

/** Answers of which nothing may reach the client. */
const badHeads: Readonly<Record<string, string>> = {
  'words that are no HTTP': 'hello, who is there?\r\n\r\n',
  'HTTP/0.9': '<html>old</html>',
  'HTTP/2': `HTTP/2 200 OK\r\n${length}${body}`,
  'HTTP/1.2': `HTTP/1.2 200 OK\r\n${length}${body}`,
  'HTTP/2.0': `HTTP/2.0 200 OK\r\n${length}${body}`,
  'lower-case http': `http/1.1 200 OK\r\n${length}${body}`,
  'a status of two digits': `HTTP/1.1 20 OK\r\n${length}${body}`,
  'a status of four digits': `HTTP/1.1 2000 OK\r\n${length}${body}`,
  'a status of letters': `HTTP/1.1 abc OK\r\n${length}${body}`,
  'a status below 100': `HTTP/1.1 099 OK\r\n${length}${body}`,
  'a status over 599': `HTTP/1.1 600 OK\r\n${length}${body}`,
  'a signed status': `HTTP/1.1 +20 OK\r\n${length}${body}`,
  'no status': `HTTP/1.1\r\n${length}${body}`,
  'two blanks before the status': `HTTP/1.1  200 OK\r\n${length}${body}`,
  'a tab before the status': `HTTP/1.1\t200 OK\r\n${length}${body}`,
  'a phrase that is glued on': `HTTP/1.1 200OK\r\n${length}${body}`,
  'NUL in the phrase': `HTTP/1.1 200 O\0K\r\n${length}${body}`,
  'a bare CR in the phrase': `HTTP/1.1 200 O\rX: 1\r\n${length}${body}`,
  'a bare LF behind the status line': `HTTP/1.1 200 OK\n${length}${body}`,
  'bare LF everywhere': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'a phrase without end': `HTTP/1.1 200 ${'x'.repeat(3_000)}`,
  'an empty line first': `\r\nHTTP/1.1 200 OK\r\n${length}${body}`,
  'Content-Length twice': `HTTP/1.1 200 OK\r\n${length}${length}${body}`,
  'Content-Length twice, different': `HTTP/1.1 200 OK\r\n${length}Content-Length: 9\r\n${body}`,
  'Content-Length as a list': `HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n${body}`,
  'Content-Length +2': `HTTP/1.1 200 OK\r\nContent-Length: +2\r\n${body}`,
  'Content-Length -2': `HTTP/1.1 200 OK\r\nContent-Length: -2\r\n${body}`,
  'Content-Length empty': `HTTP/1.1 200 OK\r\nContent-Length:\r\n${body}`,
  'Content-Length 0x2': `HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n${body}`,
  'Content-Length of 20 digits': `HTTP/1.1 200 OK\r\nContent-Length: ${'1'.repeat(20)}\r\n${body}`,
  'Content-Length with a tab behind it': `HTTP/1.1 200 OK\r\nContent-Length: 2\t\r\n${body}`,
  'both framings': `HTTP/1.1 200 OK\r\n${length}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  'both framings, the other way round': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${length}\r\n2\r\nok\r\n0\r\n\r\n`,
  'Transfer-Encoding twice':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding gzip': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n',
  'Transfer-Encoding gzip, chunked':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding identity': `HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n${length}${body}`,
  'Transfer-Encoding with a tab behind it':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding in a 204': 'HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a folded header': `HTTP/1.1 200 OK\r\nX: a\r\n b\r\n${length}${body}`,
  'a header without a colon': `HTTP/1.1 200 OK\r\nwords\r\n${length}${body}`,
  'a blank before the colon': `HTTP/1.1 200 OK\r\nContent-Length : 2\r\n${body}`,
  'an empty header name': `HTTP/1.1 200 OK\r\n: x\r\n${length}${body}`,
  'NUL in a value': `HTTP/1.1 200 OK\r\nX: a\0b\r\n${length}${body}`,
  'a bare CR in a value': `HTTP/1.1 200 OK\r\nX: a\rb\r\n${length}${body}`,
  'a head over 64 KiB': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n${length}${body}`,
  'over 200 header lines': `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(300)}${length}${body}`,
  'a change of protocol that nobody asked for':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
}

describe('an answer whose head breaks the rules is a 502', () => {
  for (const [name, text] of Object.entries(badHeads))
    test(name, async (t) => {
      const running = await start(t, text)

      running.client.send(get('/broken'))

      const answer = await running.client.answer()
      assert.equal(statusOf(answer), 502, `${answer.start} ${answer.body}`)
      const { code } = JSON.parse(answer.body.toString())
      assert.equal(code, 'REPLICA_BROKE_RULES')
      running.client.send(get('/same'))
      assert.equal((await running.client.answer()).body.toString(), '/same')
      await expectFreshConnection(running)
    })
})

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

/** Answers that begin well. Each goes wrong, or ends, within its body. */
const badBodies: Readonly<Record<string, readonly [text: string, then?: 'end' | 'destroy']>> = {
  'a malformed chunk size': [`${chunked}2\r\nok\r\nxyz\r\n`],
  'a chunk size with 0x': [`${chunked}2\r\nok\r\n0x2\r\nok\r\n0\r\n\r\n`],
  'a chunk extension': [`${chunked}2\r\nok\r\n2;a=b\r\nok\r\n0\r\n\r\n`],
  'a chunk longer than its size': [`${chunked}2\r\nokay\r\n0\r\n\r\n`],
  'a bare LF behind a chunk': [`${chunked}2\r\nok\n0\r\n\r\n`],
  'a trailer that frames': [`${chunked}2\r\nok\r\n0\r\nContent-Length: 2\r\n\r\n`],
  'the end within a chunk': [`${chunked}5\r\nok`, 'end'],
  'the end before the last chunk': [`${chunked}2\r\nok\r\n`, 'end'],
  'the end within the trailers': [`${chunked}2\r\nok\r\n0\r\nX: 1\r\n`, 'end'],
  'a body shorter than its length': ['HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok', 'end'],
  'a connection that dies within a body': [
    'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok',
    'destroy',
  ],
}

describe('an answer whose body breaks the rules is cut, so that it cannot look whole', () => {
  for (const [name, [text, then]] of Object.entries(badBodies))
    test(name, async (t) => {
      const running = await start(t, text, then)

      running.client.send(get('/broken') + get('/behind'))
      await running.client.untilEnded()

      const { bytes } = running.client
      assert.equal(readAnswer(bytes, 0, 'GET', true), undefined, 'the answer looks whole')
      assert.ok(!running.client.text.includes('/behind'))
      await expectFreshConnection(running)
    })
})

describe('bytes behind an answer', () => {
  for (const [name, tail] of Object.entries({
    garbage: 'garbage',
    'a line end': '\r\n',
    'another answer': ok('poison'),
    'a single byte': 'H',
  }))
    test(`${name}: the answer is given, the connection is not used again`, async (t) => {
      const running = await start(t, ok('mine') + tail)

      running.client.send(get('/broken') + get('/same'))

      assert.equal((await running.client.answer()).body.toString(), 'mine')
      assert.equal((await running.client.answer()).body.toString(), '/same')
      await expectFreshConnection(running)
    })

  test('that come later, on the idle connection, close it', async (t) => {
    const running = await start(t, ok('mine'))
    running.client.send(get('/broken'))
    await running.client.answer()
    const [connection] = running.upstream.connections
    assert.ok(connection)

    connection.send(ok('poison'))

    await until('the close', () => connection.closed || connection.ended || connection.reset)
    await expectFreshConnection(running)
  })

  test('more than the length says are cut off', async (t) => {
    const running = await start(t, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and poison')

    running.client.send(get('/broken') + get('/same'))

    assert.equal((await running.client.answer()).body.toString(), 'ok')
    assert.equal((await running.client.answer()).body.toString(), '/same')
    await expectFreshConnection(running)
  })

  test('a body that follows the answer to HEAD is no answer to the next', async (t) => {
    const running = await start(t, ok('body of a HEAD'))

    running.client.send(`HEAD /broken HTTP/1.1\r\nHost: a\r\n\r\n${get('/same')}`)

    assert.equal(statusOf(await running.client.answer('HEAD')), 200)
    assert.equal((await running.client.answer()).body.toString(), '/same')
    await expectFreshConnection(running)
  })

  test('a body that follows a 204 or 304 is no answer to the next', async (t) => {
    for (const status of ['204 No Content', '304 Not Modified']) {
      const running = await start(t, `HTTP/1.1 ${status}\r\n\r\n${ok('poison')}`)
      running.client.send(get('/broken') + get('/same'))
      assert.equal((await running.client.answer()).start, `HTTP/1.1 ${status}`)
      assert.equal((await running.client.answer()).body.toString(), '/same')
      await expectFreshConnection(running)
    }
  })

  test('an answer before any request closes the connection it came on', async (t) => {
    let talks = 0
    const upstream = await startUpstream(t, {
      connection(peer, index) {
        peer.onChange(() => {
          if (!peer.text.endsWith('\r\n\r\n')) return
          peer.send(ok(`answer of ${index}`))
          // One more for the client that comes next.
          if (talks++ === 0) peer.send(ok('poison'))
        })
      },
    })
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    client.send(get('/1'))
    assert.equal((await client.answer()).body.toString(), 'answer of 0')
    await until('a close', () => upstream.connections[0]?.closed || upstream.connections[0]?.ended)

    client.send(get('/2'))

    assert.equal((await client.answer()).body.toString(), 'answer of 1')
  })
})
