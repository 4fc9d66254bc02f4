import { post, type RefusedCase, refused } from './refused-case.ts'

const both = 'Content-Length with Transfer-Encoding'
const twice = 'Content-Length twice'
const odd = 'malformed Content-Length'
const coding = 'unknown transfer coding'
const chunks = '4\r\nabcd\r\n0\r\n\r\n'

function length(name: string, value: string, reason = odd): RefusedCase {
  return refused(`Content-Length ${name}`, post([`Content-Length:${value}`], 'abcd'), reason)
}

function transfer(name: string, value: string, reason = coding, status = 501): RefusedCase {
  const send = post([`Transfer-Encoding:${value}`], chunks)
  return refused(`Transfer-Encoding ${name}`, send, reason, status)
}

/** Two lengths for one body, in every disguise. */
const contradictions: readonly RefusedCase[] = [
  refused(
    'Content-Length before Transfer-Encoding',
    post(['Content-Length: 4', 'Transfer-Encoding: chunked'], chunks),
    both,
  ),
  refused(
    'Transfer-Encoding before Content-Length',
    post(['Transfer-Encoding: chunked', 'Content-Length: 4'], chunks),
    both,
  ),
  refused(
    'Content-Length 0 with Transfer-Encoding',
    post(['Content-Length: 0', 'Transfer-Encoding: chunked'], chunks),
    both,
  ),
  refused(
    'Content-Length around Transfer-Encoding',
    post(['Content-Length: 4', 'Transfer-Encoding: chunked', 'Content-Length: 4'], chunks),
    twice,
  ),
  refused(
    'Content-Length with Transfer-Encoding in other letters',
    post(['content-length: 15', 'TRANSFER-ENCODING: CHUNKED'], chunks),
    both,
  ),
  refused(
    'Content-Length with an unknown coding',
    post(['Content-Length: 4', 'Transfer-Encoding: xchunked'], 'abcd'),
    coding,
    501,
  ),
  refused(
    'Content-Length twice, different',
    post(['Content-Length: 4', 'Content-Length: 40'], 'abcd'),
    twice,
  ),
  refused(
    'Content-Length twice, equal',
    post(['Content-Length: 4', 'Content-Length: 4'], 'abcd'),
    twice,
  ),
  refused(
    'Content-Length twice, the first empty',
    post(['Content-Length:', 'Content-Length: 4'], 'abcd'),
    odd,
  ),
  refused(
    'Content-Length twice, far apart',
    post(['Content-Length: 4', 'X-Between: 1', 'content-LENGTH: 0'], 'abcd'),
    twice,
  ),
]

const lengths: readonly RefusedCase[] = [
  length('with a plus', ' +4'),
  length('below zero', ' -4'),
  length('minus zero', ' -0'),
  length('hexadecimal', ' 0x4'),
  length('octal by name', ' 0o4'),
  length('as a list of equals', ' 4, 4'),
  length('as a list without blanks', ' 4,4'),
  length('as a list of different ones', ' 4, 5'),
  length('with a comma behind it', ' 4,'),
  length('with a comma before it', ' ,4'),
  length('of two words', ' 4 4'),
  length('of two words with a tab', ' 4\t4'),
  length('empty', ''),
  length('of blanks', '   '),
  length('of a tab', '\t'),
  length('with an exponent', ' 1e1'),
  length('with a fraction', ' 4.0'),
  length('with a group mark', ' 1_0'),
  length('quoted', ' "4"'),
  length('in brackets', ' (4)'),
  length('with a unit', ' 4b'),
  length('with a parameter', ' 4;q=1'),
  length('in words', ' four'),
  length('not a number', ' NaN'),
  length('without end', ' Infinity'),
  length('of twenty digits', ' 18446744073709551620'),
  length('of thirty digits', ` ${'9'.repeat(30)}`),
  length('of many zeros', ` ${'0'.repeat(30)}4`),
  length('in other digits', ' \xd9\xa4'),
  length('with a no-break space', ' \xa04'),
  length('with a vertical tab', ' \x0b4', 'control byte in header value'),
  length('with a form feed', ' 4\x0c', 'control byte in header value'),
  length('with a NUL', ' 4\0', 'NUL in header value'),
  length('with DEL', ' 4\x7f', 'control byte in header value'),
]

const codings: readonly RefusedCase[] = [
  transfer('xchunked', ' xchunked'),
  transfer('chunkedx', ' chunkedx'),
  transfer('chunke', ' chunke'),
  transfer('identity', ' identity'),
  transfer('gzip', ' gzip'),
  transfer('empty', ''),
  transfer('of blanks', '  '),
  transfer('gzip, chunked', ' gzip, chunked'),
  transfer('chunked, gzip', ' chunked, gzip'),
  transfer('chunked, identity', ' chunked, identity'),
  transfer('identity, chunked', ' identity, chunked'),
  transfer('chunked, chunked', ' chunked, chunked'),
  transfer('with a comma behind it', ' chunked,'),
  transfer('with a comma before it', ' ,chunked'),
  transfer('with a parameter', ' chunked;q=1'),
  transfer('with an empty parameter', ' chunked;'),
  transfer('in double quotes', ' "chunked"'),
  transfer('in single quotes', " 'chunked'"),
  transfer('in two words', ' chunked x'),
  transfer('cut in two', ' chun ked'),
  transfer('with a colon', ': chunked'),
  transfer('with an accent', ' chunk\xe9d'),
  transfer('behind a no-break space', ' \xa0chunked'),
  transfer('behind a byte order mark', ' \xef\xbb\xbfchunked'),
  transfer('behind a vertical tab', ' \x0bchunked', 'control byte in header value', 400),
  transfer('behind a form feed', '\x0cchunked', 'control byte in header value', 400),
  transfer('with a vertical tab behind it', ' chunked\x0b', 'control byte in header value', 400),
  transfer('with a NUL behind it', ' chunked\0', 'NUL in header value', 400),
  transfer('with a NUL within it', ' chu\0nked', 'NUL in header value', 400),
  transfer('with a bare CR', ' chunked\r', 'carriage return without line feed', 400),
  transfer('behind a bare CR', ' \rchunked', 'carriage return without line feed', 400),
  transfer('folded', '\r\n chunked', 'folded header line', 400),
  transfer('folded with a tab', ' chunked\r\n\t', 'folded header line', 400),
  refused(
    'Transfer-Encoding twice',
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], chunks),
    'Transfer-Encoding twice',
  ),
  refused(
    'Transfer-Encoding twice, the second unknown',
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], chunks),
    'Transfer-Encoding twice',
  ),
  refused(
    'Transfer-Encoding twice, the first unknown',
    post(['Transfer-Encoding: x', 'Transfer-Encoding: chunked'], chunks),
    coding,
    501,
  ),
  refused(
    'Transfer-Encoding in HTTP/1.0',
    `POST /form HTTP/1.0\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    'Transfer-Encoding in HTTP/1.0',
  ),
  refused(
    'Transfer-Encoding and Content-Length in HTTP/1.0',
    'POST /form HTTP/1.0\r\nHost: example.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n' +
      `\r\n${chunks}`,
    'Transfer-Encoding in HTTP/1.0',
  ),
  refused(
    'Transfer-Encoding with a blank before the colon',
    post(['Transfer-Encoding : chunked'], chunks),
    'blank in header name',
  ),
  refused(
    'Transfer-Encoding with a vertical tab before the colon',
    post(['Transfer-Encoding\x0b: chunked'], chunks),
    'bad byte in header name',
  ),
]

export const framingCases: readonly RefusedCase[] = [...contradictions, ...lengths, ...codings]
