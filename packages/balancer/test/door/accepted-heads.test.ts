import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { turns } from '../until.ts'
import { header, type Message, statusOf } from './messages.ts'
import { planOf, serviceOf } from './plans.ts'
import { startDoor } from './running-door.ts'
import { startUpstream } from './upstream.ts'

/** A request that is well, and what must reach the replica of it. */
interface AcceptedCase {
  readonly name: string
  readonly send: string
  readonly start: string
  /** Values by lower-case name; `-` for a header that must not be there. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const host = 'Host: example.test\r\n'

function get(name: string, line: string, headers?: Record<string, string>): AcceptedCase {
  const send = `GET /page HTTP/1.1\r\n${host}${line}\r\n\r\n`
  return { name, send, start: 'GET /page HTTP/1.1', ...(headers && { headers }) }
}

function start(name: string, send: string, expected: string): AcceptedCase {
  return {
    name,
    send: `${send}\r\n${host}\r\n`,
    start: expected,
    headers: { host: 'example.test' },
  }
}

function body(name: string, head: string, sent: string, expected: string): AcceptedCase {
  const send = `POST /form HTTP/1.1\r\n${host}${head}\r\n\r\n${sent}`
  return { name, send, start: 'POST /form HTTP/1.1', body: expected }
}

const accepted: readonly AcceptedCase[] = [
  start('a plain request', 'GET /page?a=b&c HTTP/1.1', 'GET /page?a=b&c HTTP/1.1'),
  start('one empty line before it', '\r\nGET / HTTP/1.1', 'GET / HTTP/1.1'),
  start('HTTP/1.0', 'GET /page HTTP/1.0', 'GET /page HTTP/1.1'),
  start('the absolute form', 'GET http://example.test/page?x HTTP/1.1', 'GET /page?x HTTP/1.1'),
  start(
    'the absolute form in other letters',
    'GET HTTP://EXAMPLE.test/ HTTP/1.1',
    'GET / HTTP/1.1',
  ),
  start('the absolute form without a path', 'GET http://example.test HTTP/1.1', 'GET / HTTP/1.1'),
  start(
    'the absolute form with a query only',
    'GET http://example.test?a HTTP/1.1',
    'GET /?a HTTP/1.1',
  ),
  start('the asterisk with OPTIONS', 'OPTIONS * HTTP/1.1', 'OPTIONS * HTTP/1.1'),
  start('OPTIONS of a whole server', 'OPTIONS http://example.test HTTP/1.1', 'OPTIONS * HTTP/1.1'),
  start('two slashes', 'GET //other.test/page HTTP/1.1', 'GET //other.test/page HTTP/1.1'),
  start('escapes', 'GET /a%20b%2f..%00?%zz HTTP/1.1', 'GET /a%20b%2f..%00?%zz HTTP/1.1'),
  start('an uncommon method', 'M-SEARCH /page HTTP/1.1', 'M-SEARCH /page HTTP/1.1'),
  start('dots in the path', 'GET /a/../b/./c HTTP/1.1', 'GET /a/../b/./c HTTP/1.1'),
  get('a header without a value', 'X-A:', { 'x-a': '' }),
  get('blanks and tabs around a value', 'X-A: \t one \t two \t ', { 'x-a': 'one \t two' }),
  get('bytes beyond ASCII in a value', 'X-A: caf\xe9', { 'x-a': 'caf\xe9' }),
  get('a colon in a value', 'X-A: a:b', { 'x-a': 'a:b' }),
  get('a header twice', 'X-A: 1\r\nX-A: 2', { 'x-a': '1|2' }),
  get('every byte of a token', "!#$%&'*+-.^`|~0Az: 1", { "!#$%&'*+-.^`|~0az": '1' }),
  get('names of object methods', '__proto__: 1\r\nconstructor: 2', { constructor: '2' }),
  get('100 header lines', `${'X: 1\r\n'.repeat(98)}X: 2`),
  get('a body of no bytes', 'Content-Length: 0', { 'content-length': '-' }),
  get('Content-Length of zeros', 'Content-Length: 000', { 'content-length': '-' }),
  body('Content-Length', 'Content-Length: 4', 'abcd', 'abcd'),
  body('Content-Length with a zero before it', 'Content-Length: 04', 'abcd', 'abcd'),
  body('Content-Length without a blank', 'content-length:4', 'abcd', 'abcd'),
  body('Content-Length with blanks', 'Content-Length:   4  ', 'abcd', 'abcd'),
  body('chunks', 'Transfer-Encoding: chunked', '2\r\nab\r\n1\r\nc\r\n0\r\n\r\n', 'abc'),
  body('chunks in capitals', 'TRANSFER-ENCODING: CHUNKED', '2\r\nab\r\n0\r\n\r\n', 'ab'),
  body(
    'a chunk size in capitals',
    'Transfer-Encoding: chunked',
    'A\r\n0123456789\r\n0\r\n\r\n',
    '0123456789',
  ),
  body('a chunk size with zeros', 'Transfer-Encoding: chunked', '002\r\nab\r\n000\r\n\r\n', 'ab'),
  body(
    'chunks of line ends',
    'Transfer-Encoding: chunked',
    '4\r\n\r\n\r\n\r\n0\r\n\r\n',
    '\r\n\r\n',
  ),
  body(
    'a body that is a request',
    'Content-Length: 18',
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
  ),
]

/** How a request is cut into packets. */
const cuts: Readonly<Record<string, (send: string) => readonly string[]>> = {
  'in one piece': (send) => [send],
  'byte for byte': (send) => [...send],
}

function expectSeen(one: AcceptedCase, seen: Message | undefined): void {
  assert.ok(seen, one.name)
  assert.equal(seen.start, one.start, one.name)
  assert.equal(seen.body.toString('latin1'), one.body ?? '', one.name)
  for (const [name, value] of Object.entries(one.headers ?? {}))
    assert.equal(header(seen, name) ?? '-', value, `${one.name}: ${name}`)
}

describe('a head that is well is passed on', () => {
  for (const [way, cut] of Object.entries(cuts))
    test(way, async (t) => {
      const upstream = await startUpstream(t)
      const door = await startDoor(t, planOf(serviceOf([upstream.port])))
      for (const [index, one] of accepted.entries()) {
        const client = await door.client()
        const pieces = cut(one.send)
        if (pieces.length === 1) client.send(one.send)
        else await client.sendSlowly(one.send)
        assert.equal(statusOf(await client.answer()), 200, `${one.name}: ${client.text}`)
        expectSeen(one, upstream.requests[index])
        client.socket.destroy()
      }
    })

  test('cut in two at every place', async (t) => {
    const upstream = await startUpstream(t)
    const door = await startDoor(t, planOf(serviceOf([upstream.port])))
    const client = await door.client()
    const send =
      `\r\nPOST http://example.test/form?a HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n` +
      'X-A: one\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nX-Behind: two\r\n\r\n'
    for (let at = 1; at < send.length; at++) {
      client.send(send.slice(0, at))
      await turns()
      client.send(send.slice(at))
      assert.equal(statusOf(await client.answer('POST')), 200, `cut at ${at}`)
    }
    assert.equal(upstream.requests.length, send.length - 1)
    for (const seen of upstream.requests) {
      assert.equal(seen.start, 'POST /form?a HTTP/1.1')
      assert.equal(seen.body.toString(), 'abcd')
      assert.deepEqual(seen.trailers, [['x-behind', 'two']])
    }
  })
})
