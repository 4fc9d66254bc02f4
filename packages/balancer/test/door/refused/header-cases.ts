import { get, post, type RefusedCase, refused } from './refused-case.ts'

const lineFeed = 'line feed without carriage return'
const carriageReturn = 'carriage return without line feed'
const control = 'control byte in header value'
const inName = 'bad byte in header name'
const folded = 'folded header line'
const noHost = 'Host missing'
const badHost = 'invalid Host'

function withHost(name: string, value: string, reason = badHost): RefusedCase {
  return refused(`Host ${name}`, `GET /page HTTP/1.1\r\nHost:${value}\r\n\r\n`, reason)
}

function named(name: string, line: string, reason = inName): RefusedCase {
  return refused(`header name ${name}`, get(line), reason)
}

const lineEnds: readonly RefusedCase[] = [
  refused(
    'bare LF everywhere',
    'GET /page HTTP/1.1\nHost: example.test\n\n',
    'line feed without carriage return',
  ),
  refused(
    'bare LF behind the request line',
    'GET /page HTTP/1.1\nHost: example.test\r\n\r\n',
    lineFeed,
  ),
  refused(
    'bare LF behind the first header',
    'GET /page HTTP/1.1\r\nHost: example.test\nX: 1\r\n\r\n',
    lineFeed,
  ),
  refused(
    'bare LF behind the last header',
    'GET /page HTTP/1.1\r\nHost: example.test\n\r\n',
    lineFeed,
  ),
  refused('bare LF as the empty line', 'GET /page HTTP/1.1\r\nHost: example.test\r\n\n', lineFeed),
  refused(
    'bare LF twice behind the last header',
    'GET /page HTTP/1.1\r\nHost: example.test\r\nX: 1\n\n',
    lineFeed,
  ),
  refused('bare LF that hides a header', get('X: 1\nTransfer-Encoding: chunked'), lineFeed),
  refused(
    'bare CR behind the request line',
    'GET /page HTTP/1.1\rHost: a\r\n\r\n',
    'malformed version',
  ),
  refused('bare CR in a value', get('X: a\rb'), carriageReturn),
  refused('bare CR that hides a header', get('X: a\rContent-Length: 5'), carriageReturn),
  refused('CR twice at the end of a line', get('X: a\r'), carriageReturn),
  refused(
    'bare CR as the empty line',
    'GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n',
    carriageReturn,
  ),
  refused('LF before CR', 'GET / HTTP/1.1\r\nHost: a\n\r\n\r', lineFeed),
]

const values: readonly RefusedCase[] = [
  refused('NUL in a value', get('X: a\0b'), 'NUL in header value'),
  refused('NUL as a value', get('X: \0'), 'NUL in header value'),
  refused('NUL at the end of a value', get('X: abc\0'), 'NUL in header value'),
  ...[1, 7, 8, 11, 12, 14, 26, 27, 31, 127].map((byte) =>
    refused(`byte ${byte} in a value`, get(`X: a${String.fromCharCode(byte)}b`), control),
  ),
]

const names: readonly RefusedCase[] = [
  named('with a blank before the colon', 'X-A : 1', 'blank in header name'),
  named('with a tab before the colon', 'X-A\t: 1', 'blank in header name'),
  named('with a blank in it', 'X A: 1', 'blank in header name'),
  named('of Content-Length with a blank behind it', 'Content-Length : 5', 'blank in header name'),
  named('with NUL', 'X\0A: 1'),
  named('with a vertical tab', 'X\x0bA: 1'),
  named('with DEL', 'X\x7fA: 1'),
  named('with a letter beyond ASCII', 'X-\xc4: 1'),
  named('with a no-break space behind it', 'Content-Length\xa0: 5'),
  named('with a byte of 0xFF', '\xffX: 1'),
  ...[...'"(),/;<=>?@[\\]{}'].map((char) => named(`with ${char}`, `X${char}A: 1`)),
  named('empty', ': 1', 'empty header name'),
  named('missing, colon and all', 'just some words', 'blank in header name'),
  named('without a colon', 'nocolon', 'header line without colon'),
  named('of Transfer-Encoding without a colon', 'Transfer-Encoding', 'header line without colon'),
  named('with a bare CR in it', 'X\rA: 1', 'header line without colon'),
  named('with a bare LF in it', 'X\nA: 1', lineFeed),
]

const folds: readonly RefusedCase[] = [
  refused(
    'the first header line begins with a blank',
    'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
    folded,
  ),
  refused('the first header line begins with a tab', 'GET / HTTP/1.1\r\n\tHost: a\r\n\r\n', folded),
  refused('a folded header', get('X: a', ' b'), folded),
  refused('a header folded with a tab', get('X: a', '\tb'), folded),
  refused('a folded header that looks like one', get('X: a', ' Content-Length: 5'), folded),
  refused('a folded line of blanks', get('X: a', '   '), folded),
  refused('a folded Content-Length', post(['Content-Length: 1', ' 0'], 'abcdefghij'), folded),
  refused('a folded Host', 'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', folded),
  refused('a blank before the empty line', 'GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n', folded),
]

const hosts: readonly RefusedCase[] = [
  refused('no Host', 'GET /page HTTP/1.1\r\nX: 1\r\n\r\n', noHost),
  refused('no header at all', 'GET /page HTTP/1.1\r\n\r\n', noHost),
  refused('no Host in HTTP/1.0', 'GET /page HTTP/1.0\r\n\r\n', noHost),
  refused('Host twice, equal', get('Host: example.test'), 'Host twice'),
  refused('Host twice, different', get('Host: other.test'), 'Host twice'),
  refused('Host twice in other letters', get('hOST: other.test'), 'Host twice'),
  refused(
    'Host written with a blank',
    'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
    'blank in header name',
  ),
  withHost('empty', ''),
  withHost('of blanks', '   '),
  withHost('of one odd byte', ' ?'),
  withHost('with user information', ' user@example.test'),
  withHost('with user and password', ' user:secret@example.test'),
  withHost('with a path', ' example.test/admin'),
  withHost('with a scheme', ' http://example.test'),
  withHost('with a query', ' example.test?x'),
  withHost('with a fragment', ' example.test#x'),
  withHost('of two words', ' example.test other.test'),
  withHost('as a list', ' example.test\tother.test'),
  withHost('with a backslash', ' example.test\\other'),
  withHost('with a port of letters', ' example.test:http'),
  withHost('with a port of six digits', ' example.test:123456'),
  withHost('with two ports', ' example.test:80:81'),
  withHost('with nothing but a port', ' :80'),
  withHost('with an unclosed bracket', ' [::1'),
  withHost('with words behind a bracket', ' [::1]x'),
  withHost('with a name in brackets', ' [example.test]'),
  withHost('with a broken escape', ' exam%2.test'),
  withHost('with a quote', ' "example.test"'),
  withHost('with markup', ' <b>'),
  withHost('with letters beyond ASCII', ' ex\xe4mple.test'),
  withHost('with NUL', ' example\0.test', 'NUL in header value'),
  withHost('of 300 letters', ` ${'a'.repeat(300)}`),
]

const expectations: readonly RefusedCase[] = [
  refused('Expect other than 100-continue', get('Expect: 200-ok'), 'unknown expectation', 417),
  refused('Expect empty', get('Expect:'), 'unknown expectation', 417),
  refused('Expect a list', get('Expect: 100-continue, x'), 'unknown expectation', 417),
  refused('Expect with a parameter', get('Expect: 100-continue;x'), 'unknown expectation', 417),
]

const sizes: readonly RefusedCase[] = [
  refused('a header over 16 KiB', get(`X: ${'a'.repeat(16_400)}`), 'head too large', 431),
  refused('a name over 16 KiB', get(`${'a'.repeat(16_400)}: 1`), 'head too large', 431),
  refused(
    'headers over 16 KiB together',
    get(...Array.from({ length: 90 }, (_, index) => `X-${index}: ${'b'.repeat(200)}`)),
    'head too large',
    431,
  ),
  refused(
    'a target over 16 KiB',
    `GET /${'c'.repeat(16_400)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    'head too large',
    431,
  ),
  refused(
    '101 header lines',
    get(...Array.from({ length: 100 }, (_, index) => `X-${index}: 1`)),
    'too many header lines',
    431,
  ),
  refused(
    'many empty headers',
    get(...Array.from({ length: 2_000 }, () => 'X:')),
    'too many header lines',
    431,
  ),
]

export const headerCases: readonly RefusedCase[] = [
  ...lineEnds,
  ...values,
  ...names,
  ...folds,
  ...hosts,
  ...expectations,
  ...sizes,
]
