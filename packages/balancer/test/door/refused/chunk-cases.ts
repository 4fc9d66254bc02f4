import { post, type RefusedCase, refused } from './refused-case.ts'

const size = 'malformed chunk size'
const extension = 'chunk extension'
const longer = 'chunk longer than its size'
const noLineFeed = 'chunk size without line feed'
const framing = 'framing header in trailers'
const dataEnd = 'chunk without line feed'

function chunked(name: string, body: string, reason: string): RefusedCase {
  return refused(name, post(['Transfer-Encoding: chunked'], body), reason)
}

const sizes: readonly RefusedCase[] = [
  chunked('chunk size 0x2', '0x2\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size +2', '+2\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size -1', '-1\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size -0', '-0\r\n\r\n', size),
  chunked('chunk size with a blank behind it', '2 \r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size with a blank before it', ' 2\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size with a tab behind it', '2\t\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size empty', '\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size not hexadecimal', '2g\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size in brackets', '(2)\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size with a fraction', '2.0\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size with a group mark', '1_0\r\nabcdefghijklmnop\r\n0\r\n\r\n', size),
  chunked('chunk size quoted', '"2"\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size in other digits', '\xb2\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size with NUL', '2\0\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size with a vertical tab', '2\x0b\r\nab\r\n0\r\n\r\n', size),
  chunked('chunk size of 17 digits', '10000000000000002\r\nab\r\n0\r\n\r\n', 'chunk size too long'),
  chunked('chunk size of 16 F', 'ffffffffffffffff\r\nab\r\n0\r\n\r\n', 'chunk size too long'),
  chunked(
    'chunk size of many zeros',
    `${'0'.repeat(40)}2\r\nab\r\n0\r\n\r\n`,
    'chunk size too long',
  ),
  chunked('the last size with a plus', '2\r\nab\r\n+0\r\n\r\n', size),
  chunked('the last size with x', '2\r\nab\r\n0x0\r\n\r\n', size),
]

const extensions: readonly RefusedCase[] = [
  chunked('a chunk extension', '2;a=b\r\nab\r\n0\r\n\r\n', extension),
  chunked('an empty chunk extension', '2;\r\nab\r\n0\r\n\r\n', extension),
  chunked('an extension of the last chunk', '2\r\nab\r\n0;a=b\r\n\r\n', extension),
  chunked('a blank before a chunk extension', '2 ;a\r\nab\r\n0\r\n\r\n', size),
  chunked('an extension with a bare LF', '2;a\nab\r\n0\r\n\r\n', extension),
  chunked('an extension with a bare CR', '2;a\rb\r\nab\r\n0\r\n\r\n', extension),
  chunked('a quoted extension with a line end', '2;a="\r\n"\r\nab\r\n0\r\n\r\n', extension),
]

const lineEnds: readonly RefusedCase[] = [
  chunked('a bare LF behind a size', '2\nab\r\n0\r\n\r\n', size),
  chunked('a bare CR behind a size', '2\rab\r\n0\r\n\r\n', noLineFeed),
  chunked('CR twice behind a size', '2\r\r\nab\r\n0\r\n\r\n', noLineFeed),
  chunked('a bare LF behind data', '2\r\nab\n0\r\n\r\n', longer),
  chunked('a bare CR behind data', '2\r\nab\r0\r\n\r\n', dataEnd),
  chunked('no line end behind data', '2\r\nab0\r\n\r\n', longer),
  chunked('two line ends behind data', '2\r\nab\r\n\r\n0\r\n\r\n', size),
  chunked('data longer than its size', '2\r\nabc\r\n0\r\n\r\n', longer),
  chunked('data shorter than its size', '3\r\nab\r\n0\r\n\r\n', longer),
  chunked('a bare LF behind the last size', '2\r\nab\r\n0\n\n', size),
  chunked('a bare LF at the very end', '2\r\nab\r\n0\r\n\n', 'line feed without carriage return'),
  chunked('a bare CR at the very end', '2\r\nab\r\n0\r\n\rX', 'carriage return without line feed'),
  chunked('a request in place of the end', '2\r\nab\r\nGET /smuggled HTTP/1.1\r\n\r\n', size),
]

const trailers: readonly RefusedCase[] = [
  chunked('a folded trailer', '0\r\nX: a\r\n b\r\n\r\n', 'folded header line'),
  chunked('a trailer that begins with a blank', '0\r\n X: a\r\n\r\n', 'folded header line'),
  chunked('a trailer with a bare LF', '0\r\nX: a\n\r\n', 'line feed without carriage return'),
  chunked('a trailer with a bare CR', '0\r\nX: a\rb\r\n\r\n', 'carriage return without line feed'),
  chunked('a trailer with NUL', '0\r\nX: \0\r\n\r\n', 'NUL in header value'),
  chunked('a trailer without a colon', '0\r\nX\r\n\r\n', 'header line without colon'),
  chunked('a trailer without a name', '0\r\n: a\r\n\r\n', 'empty header name'),
  chunked('a trailer with a blank in its name', '0\r\nX : a\r\n\r\n', 'blank in header name'),
  chunked(
    'a request behind the last size',
    '0\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    'blank in header name',
  ),
  chunked('a trailer over 8 KiB', `0\r\nX: ${'a'.repeat(9_000)}\r\n\r\n`, 'trailers too large'),
  chunked('a trailer that is Content-Length', '0\r\nContent-Length: 5\r\n\r\n', framing),
  chunked(
    'a trailer that is Transfer-Encoding',
    '0\r\nX: 1\r\ntransfer-encoding: x\r\n\r\n',
    framing,
  ),
  chunked('33 trailers', `0\r\n${'X: 1\r\n'.repeat(33)}\r\n`, 'trailers too large'),
]

/** Bodies that break the rules of chunks behind a head that is well. */
export const chunkCases: readonly RefusedCase[] = [
  ...sizes,
  ...extensions,
  ...lineEnds,
  ...trailers,
]
