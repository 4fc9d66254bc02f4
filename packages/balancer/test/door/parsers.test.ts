import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ChunkedDecoder } from '../../src/door/parsing/chunked-decoder.ts'
import { HeaderBlock, scan, special } from '../../src/door/parsing/header-block.ts'
import { hostName, isAuthority } from '../../src/door/parsing/host.ts'
import { headRead, RequestHead } from '../../src/door/parsing/request-head.ts'
import { ResponseHead } from '../../src/door/parsing/response-head.ts'
import { answerTexts } from './generated-answers.ts'
import { requestStreams } from './generated-requests.ts'

const limits = { headBytesMax: 16_384, headersMax: 100 }
const stale = fc.constantFrom(
  '',
  '\r\n\r\n',
  'Content-Length: 5\r\n\r\n',
  '\0\xff:\n',
  'GET / HTTP/1.1\r\n',
)
const latin1 = (text: string) => Buffer.from(text, 'latin1')

/** What a reader made of a head: everything that it tells. */
type Told = Readonly<Record<string, unknown>>

function tellRequest(head: RequestHead, result: number): Told {
  if (result === headRead.refused) return { reason: head.reason, status: head.status }
  const { method, target, path, host, minor, lines, contentLength, keepAlive, upgrade } = head
  const { expectContinue, idempotent, requestId, traceparent } = head
  const framing = { contentLength, keepAlive, upgrade, expectContinue, idempotent }
  return { method, target, path, host, minor, lines, requestId, traceparent, ...framing }
}

function tellResponse(head: ResponseHead, result: number): Told {
  if (result === headRead.refused) return { reason: head.reason }
  const { status, statusText, lines, declaredLength, bodyLength, keepAlive, upgrade } = head
  return { status, statusText, lines, declaredLength, bodyLength, keepAlive, upgrade }
}

interface Reader {
  /** Reads `bytes[at..end)`. Returns the offset behind the head, 0 or -1, and what it told. */
  read(bytes: Buffer, at: number, end: number): readonly [result: number, told: Told]
}

const requestReader: Reader = {
  read(bytes, at, end) {
    const head = new RequestHead()
    const result = head.read(bytes, at, end, limits, false)
    return [result, tellRequest(head, result)]
  },
}
const responseReader: Reader = {
  read(bytes, at, end) {
    const head = new ResponseHead()
    const result = head.read(bytes, at, end, 'GET')
    return [result, tellResponse(head, result)]
  },
}

/** Reads a head that comes in pieces: from its start each time, as the connections do. */
function readGrowing(reader: Reader, bytes: Buffer): readonly [number, Told] {
  for (let end = 1; end < bytes.length; end++) {
    const result = reader.read(bytes, 0, end)
    if (result[0] !== headRead.incomplete) return result
  }
  return reader.read(bytes, 0, bytes.length)
}

for (const [name, reader, texts] of [
  ['a request head', requestReader, requestStreams],
  ['an answer head', responseReader, answerTexts],
] as const)
  describe(name, () => {
    test('is read the same, however it is cut', () => {
      fc.assert(
        fc.property(texts, (text) => {
          const bytes = latin1(text)
          assert.deepEqual(readGrowing(reader, bytes), reader.read(bytes, 0, bytes.length))
        }),
        { numRuns: 400 },
      )
    })

    test('is read the same, whatever stands before and behind it in the buffer', () => {
      fc.assert(
        fc.property(texts, stale, stale, (text, before, behind) => {
          const alone = latin1(text)
          const among = latin1(before + text + behind)
          const at = before.length
          const [result, told] = reader.read(alone, 0, alone.length)
          const [shifted, same] = reader.read(among, at, at + alone.length)
          assert.deepEqual(same, told)
          assert.equal(shifted > 0 ? shifted - at : shifted, result)
        }),
        { numRuns: 2_000 },
      )
    })

    test('leaves nothing behind for the next one', () => {
      const [one, two] = [new RequestHead(), new ResponseHead()]
      const readAgain = (bytes: Buffer): Told =>
        reader === requestReader
          ? tellRequest(one, one.read(bytes, 0, bytes.length, limits, false))
          : tellResponse(two, two.read(bytes, 0, bytes.length, 'GET'))
      fc.assert(
        fc.property(texts, (text) => {
          const bytes = latin1(text)
          const [result, told] = reader.read(bytes, 0, bytes.length)
          const again = readAgain(bytes)
          if (result !== headRead.incomplete) assert.deepEqual(again, told)
        }),
        { numRuns: 2_000 },
      )
    })

    test('may be any bytes at all', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
          const [result] = reader.read(Buffer.from(bytes), 0, bytes.length)
          assert.ok(result <= bytes.length)
        }),
      )
    })
  })

describe('a chunked body', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 })
  const frame = (pieces: readonly Uint8Array[]) =>
    Buffer.concat([
      ...pieces.flatMap((piece) => [
        latin1(`${piece.length.toString(16)}\r\n`),
        piece,
        latin1('\r\n'),
      ]),
      latin1('0\r\nX-Own: 1\r\nHost: a\r\n\r\n'),
    ])

  /** Decodes `bytes` in pieces of the given sizes, the last repeated. */
  function decode(bytes: Buffer, sizes: readonly number[]) {
    const decoder = new ChunkedDecoder()
    const pieces: Buffer[] = []
    let at = 0
    for (let turn = 0; at < bytes.length && !decoder.done; turn++) {
      const end = Math.min(bytes.length, at + (sizes[turn % sizes.length] ?? 1))
      const next = decoder.read(bytes, at, end, (lent, from, to) => {
        assert.ok(to > from)
        pieces.push(Buffer.from(lent.subarray(from, to)))
      })
      if (next < 0) return { refused: decoder.reason }
      at = next
    }
    const { done, trailers } = decoder
    return { body: Buffer.concat(pieces).toString('latin1'), trailers, done, end: at }
  }
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

  test('is decoded to what was framed, however it is cut, and not a byte further', () => {
    fc.assert(
      fc.property(bodies, sizes, (pieces, cuts) => {
        const framed = frame(pieces)
        const told = decode(Buffer.concat([framed, latin1('GET / HTTP/1.1')]), cuts)
        const body = Buffer.concat(pieces).toString('latin1')
        assert.deepEqual(told, { body, trailers: 'X-Own: 1\r\n', done: true, end: framed.length })
      }),
      { numRuns: 500 },
    )
  })

  test('with damage is refused or decoded the same, however it is cut', () => {
    const splinters = fc.constantFrom(
      '',
      '\n',
      '\r',
      ';',
      ' ',
      '0',
      'x',
      '\r\n',
      '0\r\n\r\n',
      '\0',
      '+',
    )
    const place = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(
        bodies,
        sizes,
        splinters,
        place,
        fc.nat({ max: 2 }),
        (pieces, cuts, ...damage) => {
          const [splinter, where, removed] = damage
          const text = frame(pieces).toString('latin1')
          const at = Math.floor(where * text.length)
          const bytes = latin1(text.slice(0, at) + splinter + text.slice(at + removed))
          assert.deepEqual(decode(bytes, cuts), decode(bytes, [bytes.length]))
        },
      ),
      { numRuns: 3_000 },
    )
  })

  test('may be any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), sizes, (bytes, cuts) => {
        decode(Buffer.from(bytes), cuts)
      }),
    )
  })
})

describe('header names', () => {
  const block = new HeaderBlock(10)
  const numberOf = (name: string) => {
    const bytes = latin1(`${name}: x\r\n\r\n`)
    assert.equal(block.scan(bytes, 0, bytes.length), scan.complete)
    return block.special(0)
  }

  test('that the door knows are known in any letters; with _ for - they are marked', () => {
    for (const [name, number] of Object.entries(special)) {
      assert.equal(numberOf(name), number)
      assert.equal(numberOf(name.toUpperCase()), number)
      if (name.includes('-')) assert.equal(numberOf(name.replace('-', '_')), -number)
    }
  })

  test('that are close to known ones are not', () => {
    for (const name of Object.keys(special))
      for (const close of [`${name}s`, `x${name}`, name.slice(1), name.slice(0, -1), `${name}-`])
        if (!Object.hasOwn(special, close)) assert.equal(numberOf(close), 0, close)
  })

  test('of any other kind are not known', () => {
    const token = fc.stringMatching(/^[!#$%&'*+.^`|~\w-]{1,24}$/)
    fc.assert(
      fc.property(token, (name) => {
        const known = Object.hasOwn(special, name.toLowerCase().replaceAll('_', '-'))
        assert.equal(numberOf(name) !== 0, known)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a host', () => {
  for (const [text, name] of [
    ['example.test', 'example.test'],
    ['EXAMPLE.test:8080', 'example.test'],
    ['127.0.0.1:1', '127.0.0.1'],
    ['[::1]', '::1'],
    ['[2001:DB8::1]:443', '2001:db8::1'],
    ['a_b.test', 'a_b.test'],
    ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
    ['ex%41mple.test', 'ex%41mple.test'],
  ] as const)
    test(`may be ${text}`, () => {
      assert.equal(isAuthority(text), true)
      assert.equal(hostName(text), name)
    })

  test('never ends a line, a quoted string or a word', () => {
    const place = fc.nat({ max: 12 })
    const host = fc.constantFrom('example.test', 'a:80', '[::1]:80', '')
    fc.assert(
      fc.property(host, place, fc.integer({ min: 0, max: 255 }), (text, at, byte) => {
        const spoilt = text.slice(0, at) + String.fromCharCode(byte) + text.slice(at)
        if (isAuthority(spoilt)) assert.match(spoilt, /^[\w.\-~!$&'()*+,;=%:[\]]+$/)
      }),
      { numRuns: 5_000 },
    )
  })
})
