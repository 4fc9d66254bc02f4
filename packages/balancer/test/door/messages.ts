import assert from 'node:assert/strict'

/** A message as it stood on the wire, read by a reader that knows only what the door may write. */
export interface Message {
  /** The request line or status line. */
  readonly start: string
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  readonly framing: 'none' | 'length' | 'chunked' | 'close'
  readonly trailers: readonly (readonly [name: string, value: string])[]
  /** The offset behind it. */
  readonly end: number
}

/** Returns the values of a header, joined by `|`; undefined without one. */
export function header(message: Message, name: string): string | undefined {
  const values = message.headers.filter(([own]) => own === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join('|')
}

export function statusOf(message: Message): number {
  return Number(message.start.split(' ')[1])
}

export function targetOf(message: Message): string {
  return message.start.split(' ')[1] ?? ''
}

/** Reads one whole request from `bytes[at..]`; undefined while it is incomplete. */
export function readRequest(bytes: Buffer, at: number): Message | undefined {
  const head = readHead(bytes, at)
  if (!head) return undefined
  assert.match(head.start, /^[A-Z-]+ [!-~]+ HTTP\/1\.1$/)
  return readBody(bytes, head, 'none')
}

/** Reads one whole answer to `method`, behind any informational ones; undefined while incomplete. */
export function readAnswer(
  bytes: Buffer,
  at: number,
  method: string,
  ended: boolean,
): Message | undefined {
  const head = readHead(bytes, at)
  if (!head) return undefined
  assert.match(head.start, /^HTTP\/1\.1 [1-5]\d\d/)
  const status = Number(head.start.slice(9, 12))
  if (status < 200) return readAnswer(bytes, head.end, method, ended)
  if (method === 'HEAD' || status === 204 || status === 304)
    return { ...head, body: Buffer.alloc(0), framing: 'none', trailers: [] }
  const message = readBody(bytes, head, 'close')
  if (message?.framing !== 'close') return message
  return ended ? { ...message, body: bytes.subarray(head.end), end: bytes.length } : undefined
}

interface Head {
  readonly start: string
  readonly headers: readonly (readonly [string, string])[]
  readonly end: number
}

function readHead(bytes: Buffer, at: number): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n', at)
  if (end < 0) return undefined
  const [start = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n')
  return { start, headers: lines.map(readLine), end: end + 4 }
}

function readLine(line: string): readonly [string, string] {
  const parts = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/.exec(line)
  assert.ok(parts, `not a header line: ${JSON.stringify(line)}`)
  return [parts[1]?.toLowerCase() ?? '', parts[2] ?? '']
}

function readBody(bytes: Buffer, head: Head, otherwise: 'none' | 'close'): Message | undefined {
  const lengths = head.headers.filter(([name]) => name === 'content-length')
  const codings = head.headers.filter(([name]) => name === 'transfer-encoding')
  assert.ok(lengths.length + codings.length <= 1, `framed twice: ${JSON.stringify(head.headers)}`)
  if (codings.length === 1) {
    assert.equal(codings[0]?.[1], 'chunked')
    return readChunks(bytes, head)
  }
  const rest = { ...head, trailers: [] }
  if (lengths.length === 0) return { ...rest, framing: otherwise, body: Buffer.alloc(0) }
  assert.match(lengths[0]?.[1] ?? '', /^\d+$/)
  const end = head.end + Number(lengths[0]?.[1])
  if (bytes.length < end) return undefined
  return { ...rest, framing: 'length', body: bytes.subarray(head.end, end), end }
}

function readChunks(bytes: Buffer, head: Head): Message | undefined {
  const pieces: Buffer[] = []
  let at = head.end
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const digits = bytes.toString('latin1', at, lineEnd)
    assert.match(digits, /^[0-9a-f]+$/)
    const size = Number.parseInt(digits, 16)
    if (size === 0) return readTrailers(bytes, lineEnd, head, Buffer.concat(pieces))
    at = lineEnd + 2 + size + 2
    if (bytes.length < at) return undefined
    assert.equal(bytes.toString('latin1', at - 2, at), '\r\n')
    pieces.push(bytes.subarray(at - 2 - size, at - 2))
  }
}

function readTrailers(bytes: Buffer, at: number, head: Head, body: Buffer): Message | undefined {
  const end = bytes.indexOf('\r\n\r\n', at)
  if (end < 0) return undefined
  const lines = bytes.toString('latin1', at + 2, Math.max(at + 2, end)).split('\r\n')
  const trailers = lines.filter((line) => line !== '').map(readLine)
  return { ...head, framing: 'chunked', body, trailers, end: end + 4 }
}
