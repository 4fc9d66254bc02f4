import fc from 'fast-check'

const starts = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 ',
  'HTTP/1.1 200',
  'HTTP/1.0 404 Not Found',
  'HTTP/1.1 500 \x80',
]
const lines = [
  'Content-Length: 4',
  'Content-Length: 04',
  'Content-Length: 4 ',
  'Content-Length: 4\t',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding: \tchunked\t',
  'Transfer-Encoding: gzip',
  'Connection: close, X-Own',
  'Connection: keep-alive',
  'Connection: upgrade',
  'Upgrade: x',
  'Keep-Alive: timeout=5',
  'X-Own: 1',
  'X-Blank: \t b \t',
  'X-Empty:',
  'Set-Cookie: a=\xff',
]
const bodies = [
  '',
  'abcd',
  '4\r\nabcd\r\n0\r\n\r\n',
  '4\r\nabcd\r\n0\r\nX: 1\r\n\r\n',
  '004\r\nabcd\r\n00\r\n\r\n',
]
const splinters = [
  ...[
    '',
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    '\x0b',
    '\x7f',
    '\x80',
    ':',
    ';',
    ',',
    '"',
  ],
  ...['0', '1', '4', '9', 'x', '+', '-', '_', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n', 'chunked'],
  ...['Content-Length: 4\r\n', 'Transfer-Encoding: chunked\r\n'],
]

const from = (items: readonly string[]) => fc.constantFrom(...items)

const damage = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat({ max: 2 }),
  inserted: from(splinters),
})

/** One answer of a replica, as latin1 text, with up to two pieces of damage. */
export const answerTexts: fc.Arbitrary<string> = fc
  .tuple(
    from(starts),
    fc.array(from(lines), { maxLength: 4 }),
    from(bodies),
    fc.oneof(fc.constant([]), fc.array(damage, { minLength: 1, maxLength: 2 })),
  )
  .map(([start, chosen, body, damages]) =>
    damages.reduce(
      (text, { place, removed, inserted }) => {
        const at = Math.floor(place * text.length)
        return text.slice(0, at) + inserted + text.slice(at + removed)
      },
      `${[start, ...chosen].join('\r\n')}\r\n\r\n${body}`,
    ),
  )
