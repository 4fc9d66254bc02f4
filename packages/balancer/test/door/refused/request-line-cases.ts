import { type RefusedCase, refused } from './refused-case.ts'

const malformed = 'malformed request line'
const badByte = 'bad byte in request target'
const version = 'malformed version'
const newer = 'unknown HTTP version'
const method = 'unknown method'
const target = 'malformed request target'

function line(name: string, start: string, reason: string, status = 400): RefusedCase {
  return refused(name, `${start}\r\nHost: example.test\r\n\r\n`, reason, status)
}

const versions: readonly RefusedCase[] = [
  refused('HTTP/0.9', 'GET /\r\n', 'request line without version'),
  line('HTTP/0.9 with headers', 'GET /page', 'request line without version'),
  line('HTTP/0.9 by name', 'GET / HTTP/0.9', newer, 505),
  line('HTTP/1.2', 'GET / HTTP/1.2', newer, 505),
  line('HTTP/1.9', 'GET / HTTP/1.9', newer, 505),
  line('HTTP/2.0', 'GET / HTTP/2.0', newer, 505),
  line('HTTP/3.1', 'GET / HTTP/3.1', newer, 505),
  line('HTTP/2', 'GET / HTTP/2', newer, 505),
  line('HTTP/9.9', 'GET / HTTP/9.9', newer, 505),
  line('HTTP/1.10', 'GET / HTTP/1.10', version),
  line('HTTP/1.01', 'GET / HTTP/1.01', version),
  line('HTTP/01.1', 'GET / HTTP/01.1', newer, 505),
  line('HTTP/11', 'GET / HTTP/11', newer, 505),
  line('HTTP/1,1', 'GET / HTTP/1,1', newer, 505),
  line('HTTP/1.', 'GET / HTTP/1.', version),
  line('HTTP/1', 'GET / HTTP/1', newer, 505),
  line('HTTP/', 'GET / HTTP/', version),
  line('HTTP', 'GET / HTTP', version),
  line('HTTP/1.x', 'GET / HTTP/1.x', version),
  line('HTTP/1.1 and a letter', 'GET / HTTP/1.1a', version),
  line('lower-case http', 'GET / http/1.1', version),
  line('mixed-case http', 'GET / Http/1.1', version),
  line('another protocol', 'GET / HTTPS/1.1', version),
  line('an RTSP version', 'OPTIONS * RTSP/1.0', version),
  line('an ICE version', 'SOURCE /x ICE/1.0', method, 501),
  line('a version before the target', 'GET HTTP/1.1', 'request line without version'),
  line('HTTP/1.1 with other digits', 'GET / HTTP/1.\xb9', version),
]

const blanks: readonly RefusedCase[] = [
  line('two blanks behind the method', 'GET  / HTTP/1.1', badByte),
  line('two blanks before the version', 'GET /  HTTP/1.1', version),
  line('a blank behind the version', 'GET / HTTP/1.1 ', version),
  line('a blank before the method', ' GET / HTTP/1.1', malformed),
  line('a tab behind the method', 'GET\t/ HTTP/1.1', malformed),
  line('a tab before the version', 'GET /\tHTTP/1.1', badByte),
  line('a tab behind the version', 'GET / HTTP/1.1\t', version),
  line('a vertical tab behind the method', 'GET\x0b/ HTTP/1.1', malformed),
  line('a form feed before the version', 'GET /\x0cHTTP/1.1', badByte),
  line('a no-break space behind the method', 'GET\xa0/ HTTP/1.1', malformed),
  line('a blank in the target', 'GET /a b HTTP/1.1', version),
  line('a second request line in the first', 'GET / HTTP/1.1 GET /admin HTTP/1.1', version),
  line('no blank at all', 'GET/HTTP/1.1', malformed),
  line('a bare CR in the target', 'GET /a\rb HTTP/1.1', 'request line without version'),
  line('a bare LF in the target', 'GET /a\nb HTTP/1.1', 'request line without version'),
  refused(
    'empty lines before the request',
    '\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    malformed,
  ),
  refused('a bare LF before the request', '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', malformed),
  refused('a bare CR before the request', '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n', malformed),
]

const targets: readonly RefusedCase[] = [
  line('a fragment', 'GET /page#part HTTP/1.1', 'fragment in request target'),
  line('an empty fragment', 'GET /page# HTTP/1.1', 'fragment in request target'),
  line('nothing but a fragment', 'GET # HTTP/1.1', 'fragment in request target'),
  line(
    'a fragment in the absolute form',
    'GET http://example.test/#x HTTP/1.1',
    'fragment in request target',
  ),
  line('a target beyond ASCII', 'GET /caf\xe9 HTTP/1.1', badByte),
  line('a target in UTF-8', 'GET /caf\xc3\xa9 HTTP/1.1', badByte),
  line('NUL in the target', 'GET /a\0b HTTP/1.1', badByte),
  line('a control byte in the target', 'GET /a\x01b HTTP/1.1', badByte),
  line('DEL in the target', 'GET /a\x7fb HTTP/1.1', badByte),
  line('a target without a slash', 'GET page HTTP/1.1', target),
  line('a target that is a query', 'GET ?a=b HTTP/1.1', target),
  line('the authority form', 'GET example.test:80 HTTP/1.1', target),
  line('the asterisk with GET', 'GET * HTTP/1.1', target),
  line('an asterisk and more', 'OPTIONS *x HTTP/1.1', target),
  line('another scheme', 'GET ftp://example.test/ HTTP/1.1', target),
  line('a scheme without slashes', 'GET http:example.test HTTP/1.1', target),
  line('a scheme with one slash', 'GET http:/example.test/ HTTP/1.1', target),
  line('a backslash', 'GET \\page HTTP/1.1', target),
  line(
    'the absolute form without a name',
    'GET http:/// HTTP/1.1',
    'request target and Host disagree',
  ),
]

const disagree = 'request target and Host disagree'

const absolutes: readonly RefusedCase[] = [
  line('the absolute form of another host', 'GET http://other.test/ HTTP/1.1', disagree),
  line('the absolute form with a port', 'GET http://example.test:81/ HTTP/1.1', disagree),
  line('the absolute form with the usual port', 'GET http://example.test:80/ HTTP/1.1', disagree),
  line('the absolute form with a user', 'GET http://me@example.test/ HTTP/1.1', disagree),
  line('the absolute form of a longer name', 'GET http://example.test.other/ HTTP/1.1', disagree),
  line('the absolute form with a dot behind', 'GET http://example.test./ HTTP/1.1', disagree),
  line('the absolute form with a backslash', 'GET http://example.test\\@other/ HTTP/1.1', disagree),
  refused(
    'the absolute form without Host',
    'GET http://example.test/ HTTP/1.1\r\nX: 1\r\n\r\n',
    'Host missing',
  ),
]

const methods: readonly RefusedCase[] = [
  line('CONNECT', 'CONNECT example.test:443 HTTP/1.1', 'CONNECT is not offered', 405),
  line('an unknown method', 'FETCH / HTTP/1.1', method, 501),
  line('a lower-case method', 'get / HTTP/1.1', malformed),
  line('a mixed-case method', 'GeT / HTTP/1.1', malformed),
  line('a method and a letter', 'GETX / HTTP/1.1', method, 501),
  line('a method and a digit', 'GET1 / HTTP/1.1', malformed),
  line('a long method', `${'A'.repeat(40)} / HTTP/1.1`, method, 501),
  line('no method', '/ HTTP/1.1', malformed),
  line('a quoted method', '"GET" / HTTP/1.1', malformed),
  line('a method with NUL', 'GET\0 / HTTP/1.1', malformed),
  line('half a method', 'GE / HTTP/1.1', method, 501),
  refused('the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', method, 501),
  refused('a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', malformed),
  refused('an SSH hello', 'SSH-2.0-OpenSSH_9\r\n', malformed),
  refused(
    'a PROXY header that nobody asked for',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
    method,
    501,
  ),
  refused('a binary PROXY header', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', malformed),
  refused('an answer', 'HTTP/1.1 200 OK\r\n\r\n', malformed),
]

export const requestLineCases: readonly RefusedCase[] = [
  ...versions,
  ...blanks,
  ...targets,
  ...absolutes,
  ...methods,
]
