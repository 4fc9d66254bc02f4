import { HeaderBlock, scan, special } from './header-block.ts'

/** Takes the bytes of a body as they are decoded. They are only lent: valid during the call. */
export type TakeBytes = (bytes: Buffer, from: number, to: number) => void

/** What a decoder waits for next. */
type Phase = 'size' | 'size-end' | 'data' | 'data-end' | 'data-end-lf' | 'trailers' | 'done'

const sizeDigitsMax = 12
const trailerBytesMax = 8_192
const trailers = new HeaderBlock(32)

/**
 * Decodes one chunked body (RFC 9112 §7.1) in its strictest reading: hexadecimal sizes ended by
 * CRLF, no chunk extensions, no other line ends. Feed it bytes as they come, cut anywhere.
 */
export class ChunkedDecoder {
  /** Why the body was refused. */
  reason = ''
  /** The trailer lines that may be passed on, each with its CRLF. */
  trailers = ''
  #phase: Phase = 'size'
  #digits = 0
  #left = 0
  #held: Buffer = Buffer.alloc(0)

  /** Holds when the whole body, its trailers included, has been read. */
  get done(): boolean {
    return this.#phase === 'done'
  }

  /**
   * Reads from `bytes[at..end)` and hands the data in it to `take`. Returns the offset behind what
   * was read (before `end` only when the body is done), or -1 when the body breaks the rules.
   */
  read(bytes: Buffer, at: number, end: number, take: TakeBytes): number {
    let index = at
    while (index < end && this.#phase !== 'done') {
      if (this.#phase === 'data') {
        const to = Math.min(end, index + this.#left)
        take(bytes, index, to)
        this.#left -= to - index
        index = to
        if (this.#left === 0) this.#phase = 'data-end'
      } else if (this.#phase === 'trailers') {
        return this.#readTrailers(bytes, index, end)
      } else if (!this.#readByte(bytes[index++] as number)) return -1
    }
    return index
  }

  #readByte(byte: number): boolean {
    switch (this.#phase) {
      case 'size':
        return this.#readSize(byte)
      case 'size-end':
        if (byte !== 10) return this.#refuse('chunk size without line feed')
        this.#phase = this.#left === 0 ? 'trailers' : 'data'
        return true
      case 'data-end':
        if (byte !== 13) return this.#refuse('chunk longer than its size')
        this.#phase = 'data-end-lf'
        return true
      default:
        if (byte !== 10) return this.#refuse('chunk without line feed')
        this.#phase = 'size'
        this.#digits = 0
        return true
    }
  }

  #readSize(byte: number): boolean {
    if (byte === 13 && this.#digits > 0) {
      this.#phase = 'size-end'
      return true
    }
    const digit = hexadecimal(byte)
    if (digit < 0) return this.#refuse(byte === 59 ? 'chunk extension' : 'malformed chunk size')
    if (++this.#digits > sizeDigitsMax) return this.#refuse('chunk size too long')
    this.#left = this.#digits === 1 ? digit : this.#left * 16 + digit
    return true
  }

  /** Trailers are rare and short: what is cut is joined and read again from its start. */
  #readTrailers(bytes: Buffer, at: number, end: number): number {
    const before = this.#held.length
    const joined = before === 0 ? bytes : Buffer.concat([this.#held, bytes.subarray(at, end)])
    const from = before === 0 ? at : 0
    const to = before === 0 ? end : joined.length
    const scanned = trailers.scan(joined, from, Math.min(to, from + trailerBytesMax))
    if (scanned === scan.complete) {
      if (!this.#keepTrailers(joined)) return -1
      this.#phase = 'done'
      return at + (trailers.end - from) - before
    }
    if (scanned !== scan.incomplete || to - from > trailerBytesMax) {
      this.#refuse(scanned === scan.refused ? trailers.reason : 'trailers too large')
      return -1
    }
    this.#held = Buffer.from(joined.subarray(from, to))
    return end
  }

  /**
   * A trailer that the door acts on as a header is dropped (RFC 9110 §6.5.1). One that would frame
   * the body anew is refused, as other parsers do.
   */
  #keepTrailers(bytes: Buffer): boolean {
    for (let index = 0; index < trailers.count; index++) {
      const number = trailers.special(index)
      if (number === special['content-length'] || number === special['transfer-encoding'])
        return this.#refuse('framing header in trailers')
      if (number !== 0) continue
      const from = trailers.nameStart(index)
      this.trailers += bytes.toString('latin1', from, trailers.lineEnd(index))
    }
    return true
  }

  #refuse(reason: string): false {
    this.reason = reason
    return false
  }
}

/** The value of a hexadecimal digit; -1 for any other byte. */
function hexadecimal(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
