import fc from 'fast-check'

/** Streams of requests out of a grammar, most of them well, and then damaged in places. */

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'QUERY', 'PROPFIND']
const targets = ['/', '/a/b?c=d', '//x', '/%2e%2e/', 'http://a/', 'http://a', 'HTTP://A/x?y', '*']
const versions = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/0.9',
  'http/1.1',
]
const hosts = [
  'Host: a',
  'host:a',
  'Host: \ta ',
  'HOST: a:80',
  'Host: [::1]:80',
  'Host:',
  'X-Host: a',
]

const ordinary = [
  'Accept: */*',
  'X-Empty:',
  'X-Blank: \t ',
  'X-Inner: a \t b',
  'Cookie: a=b; c=d',
  'X-High: caf\xe9\xff',
  'Connection: keep-alive',
  'Connection: x-empty, Cookie',
  'Connection: X-Inner, close',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Keep-Alive: timeout=5',
  'TE: trailers',
  'Expect: 100-continue',
  'X_Under: 1',
  'Content_Length: 4',
  'Transfer_Encoding: chunked',
  'X-Forwarded-For: 1.2.3.4',
  'Forwarded: for=1.2.3.4',
  'Proxy-Connection: keep-alive',
]
const framing = [
  'Content-Length: 0',
  'Content-Length: 4',
  'Content-Length: 4 ',
  'Content-Length:\t4',
  'Content-Length: 4\t',
  'Content-Length: 04',
  'Content-Length: +4',
  'Content-Length: 4, 4',
  'Content-Length: 4;',
  'content-length: 999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding:chunked ',
  'Transfer-Encoding: \tchunked\t',
  'transfer-encoding: CHUNKED',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding : chunked',
  ' Transfer-Encoding: chunked',
]
const bodies = [
  '',
  'abcd',
  '4\r\nabcd\r\n0\r\n\r\n',
  '4\r\nabcd\r\n1\r\ne\r\n0\r\n\r\n',
  'A\r\n0123456789\r\n0\r\nX-Behind: 1\r\n\r\n',
  '004\r\nabcd\r\n000\r\n\r\n',
  '0\r\nContent-Length: 5\r\nX-Two: 2 \r\n\r\n',
  '4;x=y\r\nabcd\r\n0\r\n\r\n',
]

/** What damage is made of. */
const splinters = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    ' ',
    '\t',
    '\0',
    '\x0b',
    '\x0c',
    '\x7f',
    '\x80',
    '\xff',
  ],
  ...[
    ':',
    ';',
    ',',
    '"',
    '#',
    '?',
    '/',
    '+',
    '-',
    '_',
    '0',
    '1',
    '4',
    '9',
    'x',
    'a',
    'A',
    '@',
    '\\',
  ],
  ...['0\r\n\r\n', '4\r\nabcd\r\n', 'HTTP/1.1', 'HTTP/1.0', 'chunked', ', chunked'],
  ...framing.map((line) => `${line}\r\n`),
  ...['Host: b\r\n', 'Connection: close\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
]

const from = (items: readonly string[]) => fc.constantFrom(...items)

const wellFramed = fc.constantFrom(
  ['', ''],
  ['Content-Length: 4', 'abcd'],
  ['Content-Length: 0', ''],
  ['Transfer-Encoding: chunked', '4\r\nabcd\r\n0\r\n\r\n'],
  ['Transfer-Encoding: chunked', '1\r\na\r\n2\r\nbc\r\n0\r\nX-Behind: 1\r\n\r\n'],
)
const oddlyFramed = fc
  .tuple(fc.array(from(framing), { minLength: 1, maxLength: 2 }), from(bodies))
  .map(([lines, body]) => [lines.join('\r\n'), body])

interface Parts {
  readonly method: string
  readonly target: string
  readonly version: string
  readonly host: string
  readonly lines: readonly string[]
  readonly framed: readonly string[]
}

const request = fc
  .record<Parts>({
    method: from(methods),
    target: fc.oneof({ weight: 6, arbitrary: fc.constant('/page') }, from(targets)),
    version: fc.oneof({ weight: 12, arbitrary: fc.constant('HTTP/1.1') }, from(versions)),
    host: fc.oneof({ weight: 10, arbitrary: fc.constant('Host: a') }, from(hosts)),
    lines: fc.array(from(ordinary), { maxLength: 4 }),
    framed: fc.oneof({ weight: 6, arbitrary: wellFramed }, oddlyFramed),
  })
  .map(({ method, target, version, host, lines, framed: [framing = '', body = ''] }) => {
    const all = [`${method} ${target} ${version}`, host, ...lines, framing]
    return `${all.filter((line) => line !== '').join('\r\n')}\r\n\r\n${body}`
  })

/** One piece of damage: at a place (0..1 of the length) so many bytes go, and a splinter comes. */
const damage = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat({ max: 3 }),
  inserted: fc.oneof(fc.constant(''), from(splinters)),
})

/** Up to three requests on one connection, as latin1 text, with up to three pieces of damage. */
export const requestStreams: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(request, { minLength: 1, maxLength: 3 }),
    fc.oneof(fc.constant([]), fc.array(damage, { minLength: 1, maxLength: 3 })),
  )
  .map(([requests, damages]) =>
    damages.reduce((text, { place, removed, inserted }) => {
      const at = Math.floor(place * text.length)
      return text.slice(0, at) + inserted + text.slice(at + removed)
    }, requests.join('')),
  )
