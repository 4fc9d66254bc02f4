/**
 * Header names that the door itself acts on. The number of a name is its place here plus one, so
 * that 0 stands for every other name.
 */
const specialNames = [
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-prefix',
  'x-real-ip',
  'x-request-id',
  'traceparent',
  'idempotency-key',
  'proxy-authorization',
  'http2-settings',
] as const

type SpecialName = (typeof specialNames)[number]

/** The number of each special name, for `switch` over `HeaderBlock.special`. */
export const special = Object.freeze(
  Object.fromEntries(specialNames.map((name, index) => [name, index + 1])),
) as Readonly<Record<SpecialName, number>>

const lineFeed = 10
const carriageReturn = 13
const space = 32
const tab = 9
const colon = 58

/** Folds a byte of a token (RFC 9110 §5.6.2) to lower case and `_` to `-`; 0 marks other bytes. */
const folded = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
  folded[char.charCodeAt(0)] = char.charCodeAt(0)
  folded[char.toUpperCase().charCodeAt(0)] = char.charCodeAt(0)
}
folded['_'.charCodeAt(0)] = '-'.charCodeAt(0)

/** 1 for the bytes of a field value: visible ones, blank, tab, and everything from 0x80 up. */
const valueByte = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++)
  valueByte[byte] = byte === tab || (byte >= space && byte !== 127) ? 1 : 0

const seed = findSeed()
const numberByHash = tabulate(seed) ?? new Uint8Array(1024)

/** How reading a block of header lines ended. */
export const scan = { complete: 1, incomplete: 0, refused: -1, tooMany: -2 } as const

/** Columns of one header in `HeaderBlock.table`. */
const columns = 5

/**
 * The header lines of one message, found in one pass over its bytes: each byte is checked against
 * the grammar of RFC 9112 in its strictest reading (CRLF only, no folding, no blank before the
 * colon). Holds offsets, not text, and is used again for the next message.
 */
export class HeaderBlock {
  /** How many header lines there are. */
  count = 0
  /** Where the block ended: the offset behind its empty line. */
  end = 0
  /** Why the block was refused. */
  reason = ''
  /** Name start, name end, value start, value end, special number; for each header. */
  readonly #table: Int32Array
  readonly #linesMax: number

  constructor(linesMax: number) {
    this.#linesMax = linesMax
    this.#table = new Int32Array(linesMax * columns)
  }

  nameStart(index: number): number {
    return this.#table[index * columns] ?? 0
  }
  nameEnd(index: number): number {
    return this.#table[index * columns + 1] ?? 0
  }
  valueStart(index: number): number {
    return this.#table[index * columns + 2] ?? 0
  }
  valueEnd(index: number): number {
    return this.#table[index * columns + 3] ?? 0
  }
  /** Where the first header line begins, and where the last one ends. */
  get linesStart(): number {
    return this.count > 0 ? this.nameStart(0) : this.linesEnd
  }
  get linesEnd(): number {
    return this.end - 2
  }
  /** Where the line of header `index` ends, its CRLF included. */
  lineEnd(index: number): number {
    return index + 1 < this.count ? this.nameStart(index + 1) : this.linesEnd
  }
  /**
   * Holds when a tab stands behind the value of header `index`. Not every parser takes it for a
   * blank, so where framing hangs on a value there may be none.
   */
  endsInTab(bytes: Uint8Array, index: number): boolean {
    const end = this.lineEnd(index) - 2
    for (let at = this.valueEnd(index); at < end; at++) if (bytes[at] === tab) return true
    return false
  }
  /** The number of a special name; negative when it was written with `_` for `-`; 0 for others. */
  special(index: number): number {
    return this.#table[index * columns + 4] ?? 0
  }

  /**
   * Reads header lines from `bytes[at]` up to and with the empty line, but not past `end`.
   * `linesMax` lowers the number of lines that the block was made for.
   */
  scan(bytes: Uint8Array, at: number, end: number, linesMax = this.#linesMax): number {
    this.count = 0
    const most = Math.min(linesMax, this.#linesMax)
    let index = at
    for (;;) {
      if (index + 1 >= end) return this.#short(bytes, index, end)
      if (bytes[index] === carriageReturn) {
        if (bytes[index + 1] !== lineFeed) return this.#refuse('carriage return without line feed')
        this.end = index + 2
        return scan.complete
      }
      if (this.count === most) return scan.tooMany
      const next = this.#line(bytes, index, end)
      if (next <= 0) return next
      index = next
    }
  }

  /** Reads one line and returns the offset behind it, or `scan.incomplete` or `scan.refused`. */
  #line(bytes: Uint8Array, at: number, end: number): number {
    let index = at
    let hash = seed
    while (index < end) {
      const byte = folded[bytes[index] as number] as number
      if (byte === 0) break
      hash = Math.imul(hash ^ byte, 0x01000193)
      index++
    }
    const nameEnd = index
    if (index === end) return scan.incomplete
    if (bytes[index] !== colon || nameEnd === at)
      return this.#badName(bytes[index] ?? 0, at, nameEnd)
    const valueStart = skipBlanks(bytes, index + 1, end)
    index = valueStart
    while (index < end && valueByte[bytes[index] as number] === 1) index++
    if (index + 1 >= end) return this.#shortValue(bytes, index, end)
    if (bytes[index] !== carriageReturn || bytes[index + 1] !== lineFeed)
      return this.#badValue(bytes[index] ?? 0)
    const row = this.count++ * columns
    const table = this.#table
    table[row] = at
    table[row + 1] = nameEnd
    table[row + 2] = valueStart
    table[row + 3] = trimBlanks(bytes, valueStart, index)
    table[row + 4] = numberOf(hash, bytes, at, nameEnd)
    return index + 2
  }

  #refuse(reason: string): number {
    this.reason = reason
    return scan.refused
  }

  #short(bytes: Uint8Array, index: number, end: number): number {
    if (index < end && bytes[index] !== carriageReturn && folded[bytes[index] as number] === 0)
      return this.#badName(bytes[index] ?? 0, index, index)
    return scan.incomplete
  }

  #shortValue(bytes: Uint8Array, index: number, end: number): number {
    if (index < end && bytes[index] !== carriageReturn) return this.#badValue(bytes[index] ?? 0)
    return scan.incomplete
  }

  #badName(byte: number, at: number, nameEnd: number): number {
    if (byte === lineFeed) return this.#refuse('line feed without carriage return')
    if (byte === carriageReturn) return this.#refuse('header line without colon')
    if (byte === colon) return this.#refuse('empty header name')
    if (byte !== space && byte !== tab) return this.#refuse('bad byte in header name')
    return this.#refuse(at === nameEnd ? 'folded header line' : 'blank in header name')
  }

  #badValue(byte: number): number {
    if (byte === lineFeed) return this.#refuse('line feed without carriage return')
    if (byte === carriageReturn) return this.#refuse('carriage return without line feed')
    return this.#refuse(byte === 0 ? 'NUL in header value' : 'control byte in header value')
  }
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let index = from
  while (index < end && (bytes[index] === space || bytes[index] === tab)) index++
  return index
}

function trimBlanks(bytes: Uint8Array, from: number, to: number): number {
  let end = to
  while (end > from && (bytes[end - 1] === space || bytes[end - 1] === tab)) end--
  return end
}

/** The special number of the name at `bytes[from..to)`, whose folded hash is `hash`. */
function numberOf(hash: number, bytes: Uint8Array, from: number, to: number): number {
  const number = numberByHash[(hash ^ (hash >>> 15)) & 1023] as number
  if (number === 0) return 0
  const name = specialNames[number - 1] as string
  if (name.length !== to - from) return 0
  let sign = 1
  for (let index = 0; index < name.length; index++) {
    const byte = bytes[from + index] as number
    if (folded[byte] !== name.charCodeAt(index)) return 0
    if (byte === 95) sign = -1
  }
  return sign * number
}

/** The FNV-1a hash (Fowler, Noll, Vo) of `name` from an own start. */
function hashName(name: string, start: number): number {
  let hash = start
  for (let index = 0; index < name.length; index++)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return hash
}

/** Finds a start that gives every special name a place of its own among 1,024. */
function findSeed(): number {
  for (let start = 1; start < 10_000; start++) if (tabulate(start)) return start
  throw new RangeError('no start separates the special header names')
}

function tabulate(start: number): Uint8Array | undefined {
  const table = new Uint8Array(1024)
  for (const [index, name] of specialNames.entries()) {
    const hash = hashName(name, start)
    const place = (hash ^ (hash >>> 15)) & 1023
    if (table[place] !== 0) return undefined
    table[place] = index + 1
  }
  return table
}
