/** How reading a head ended, where it is not the offset behind it. */
export const headRead = { incomplete: 0, refused: -1 } as const

/** Methods that are passed on, as node's own parser knows them; CONNECT is refused by itself. */
const methods = new Map(
  (
    'GET HEAD POST PUT DELETE OPTIONS PATCH TRACE ACL BIND CHECKOUT COPY LINK LOCK M-SEARCH MERGE ' +
    'MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY PROPFIND PROPPATCH PURGE QUERY REBIND REPORT SEARCH ' +
    'SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE'
  )
    .split(' ')
    .map((method) => [method, method]),
)

const methodBytesMax = 16
const space = 32
const lineFeed = 10
const carriageReturn = 13

/** 1 for the bytes of a request target: visible ASCII but `#`. */
const targetByte = new Uint8Array(256)
for (let byte = 33; byte < 127; byte++) targetByte[byte] = byte === 35 ? 0 : 1

/** The parts of one request line, as offsets; used again for the next. */
export class RequestLine {
  method = ''
  targetStart = 0
  targetEnd = 0
  minor = 1
  reason = ''
  status = 400
}

/**
 * Reads `METHOD target HTTP/1.x` CRLF from `bytes[at..end)` into `line`. Returns the offset behind
 * it, `headRead.incomplete`, or `headRead.refused` with `reason` and `status` set.
 */
export function readRequestLine(bytes: Buffer, at: number, end: number, line: RequestLine): number {
  const targetStart = readMethod(bytes, at, end, line)
  if (targetStart <= 0) return targetStart
  let index = targetStart
  while (index < end && targetByte[bytes[index] as number] === 1) index++
  if (index === end) return headRead.incomplete
  if (bytes[index] !== space || index === targetStart) return badTarget(bytes[index] ?? 0, line)
  line.targetStart = targetStart
  line.targetEnd = index
  return readVersion(bytes, index + 1, end, line)
}

function readMethod(bytes: Buffer, at: number, end: number, line: RequestLine): number {
  let index = at
  while (index < end && isMethodByte(bytes[index] as number)) index++
  if (index - at > methodBytesMax) return refuse(line, 'unknown method', 501)
  if (index === end) return headRead.incomplete
  if (bytes[index] !== space || index === at) return refuse(line, 'malformed request line')
  if (bytes[at] === 71 && index === at + 3 && bytes[at + 1] === 69 && bytes[at + 2] === 84)
    line.method = 'GET'
  else if (!takeMethod(bytes.toString('latin1', at, index), line)) return headRead.refused
  return index + 1
}

/** Capital letters, and the `-` of M-SEARCH. */
function isMethodByte(byte: number): boolean {
  return (byte >= 65 && byte <= 90) || byte === 45
}

function takeMethod(word: string, line: RequestLine): boolean {
  const method = methods.get(word)
  if (method !== undefined) {
    line.method = method
    return true
  }
  if (word === 'CONNECT') refuse(line, 'CONNECT is not offered', 405)
  else refuse(line, 'unknown method', 501)
  return false
}

function badTarget(byte: number, line: RequestLine): number {
  if (byte === 35) return refuse(line, 'fragment in request target')
  if (byte === carriageReturn || byte === lineFeed)
    return refuse(line, 'request line without version')
  return refuse(line, 'bad byte in request target')
}

const versionStart = 'HTTP/1.'

/** Reads `HTTP/1.x` and CRLF; returns the offset behind them. */
function readVersion(bytes: Buffer, at: number, end: number, line: RequestLine): number {
  for (let offset = 0; offset < versionStart.length; offset++) {
    if (at + offset >= end) return headRead.incomplete
    if (bytes[at + offset] !== versionStart.charCodeAt(offset))
      return badVersion(bytes.toString('latin1', at, Math.min(at + 8, end)), line)
  }
  const digits = at + versionStart.length
  if (digits + 2 >= end) return headRead.incomplete
  const minor = (bytes[digits] ?? 0) - 48
  if (minor < 0 || minor > 9) return refuse(line, 'malformed version')
  if (bytes[digits + 1] === lineFeed) return refuse(line, 'line feed without carriage return')
  if (bytes[digits + 1] !== carriageReturn || bytes[digits + 2] !== lineFeed)
    return refuse(line, 'malformed version')
  if (minor > 1) return refuse(line, 'unknown HTTP version', 505)
  line.minor = minor
  return digits + 3
}

function badVersion(word: string, line: RequestLine): number {
  if (/^HTTP\/\d/.test(word)) return refuse(line, 'unknown HTTP version', 505)
  return refuse(line, 'malformed version')
}

function refuse(line: RequestLine, reason: string, status = 400): number {
  line.reason = reason
  line.status = status
  return headRead.refused
}
