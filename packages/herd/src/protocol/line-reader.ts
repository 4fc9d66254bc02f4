import { CR, findLow, LF, NUL, viewOf } from './bytes.ts'
import { KeptBytes } from './kept-bytes.ts'

/** The longest line, in bytes, without its end. */
const lineBytesMax = 65_536

/** A buffer that has grown beyond this is given back when it is empty. */
const bufferBytesMax = 1_024
const noBytes = Buffer.alloc(0)

/** Takes lines; the bytes are lent and valid only during the call. */
export interface LineSink {
  /** A line without its LF or CRLF. Returns false to be told no more lines until `resume`. */
  line(bytes: Uint8Array, start: number, end: number): boolean
  /**
   * A line that is too long, holds a NUL, or finds no room to be kept until it ends; nothing is told
   * after it.
   */
  broken(bytes: Uint8Array, start: number, end: number): void
}

/**
 * Cuts a stream of bytes into lines, wherever the packets were cut. It scans each byte once and
 * copies only what belongs to a line that has not ended yet.
 */
export class LineReader {
  readonly #sink: LineSink
  readonly #budget: KeptBytes
  /** In [from, to): the begin of a line, or everything after a line at which the sink said stop. */
  #kept: Buffer = noBytes
  #from = 0
  #to = 0
  /** Before this index the kept bytes hold no line end. */
  #scanned = 0
  #hasNul = false
  #stopped = false
  #isBroken = false

  /** `budget` is shared by all readers of a server. */
  constructor(sink: LineSink, budget = new KeptBytes(Number.POSITIVE_INFINITY)) {
    this.#sink = sink
    this.#budget = budget
  }

  /** How many bytes wait for the end of their line (or for `resume`). */
  get keptBytes(): number {
    return this.#to - this.#from
  }

  /** Takes the next `length` bytes of the stream. */
  push(bytes: Uint8Array, length = bytes.length): void {
    if (this.#isBroken) return
    if (this.#stopped || this.keptBytes > 0) {
      this.#keep(bytes, 0, length)
      if (!this.#stopped && !this.#isBroken) this.#readKept()
      return
    }
    const read = this.#read(bytes, 0, 0, length)
    if (this.#isBroken || read === length) return
    this.#keep(bytes, read, length)
    if (this.#isBroken) return
    this.#scanned = this.#stopped ? this.#from : this.#to
  }

  /** Goes on after the sink has said stop. */
  resume(): void {
    if (!this.#stopped || this.#isBroken) return
    this.#stopped = false
    this.#readKept()
  }

  /** Tells the line that has no end yet: the stream ended, or nothing more came for a while. */
  flush(): void {
    if (this.#stopped || this.#isBroken || this.keptBytes === 0) return
    const start = this.#from
    const end = this.#to
    this.#from = end
    this.#tell(this.#kept, start, end)
    this.#hasNul = false
    this.#shrink()
  }

  /** Gives back what is kept: the connection is gone. */
  close(): void {
    this.#from = this.#to
    this.#release()
  }

  #readKept(): void {
    const read = this.#read(this.#kept, this.#from, this.#scanned, this.#to)
    if (this.#isBroken) return
    this.#from = read
    this.#scanned = this.#stopped ? read : this.#to
    this.#shrink()
  }

  /**
   * Tells every whole line of `bytes[start, end)`, looking for line ends from `scanned` on, and
   * returns where the first line without an end begins.
   */
  #read(bytes: Uint8Array, start: number, scanned: number, end: number): number {
    let begin = start
    const view = viewOf(bytes)
    for (let at = findLow(view, scanned, end); at < end; at = findLow(view, at + 1, end)) {
      const byte = bytes[at]
      if (byte === NUL) this.#hasNul = true
      if (byte !== LF) continue
      const goesOn = this.#tell(bytes, begin, at > begin && bytes[at - 1] === CR ? at - 1 : at)
      this.#hasNul = false
      begin = at + 1
      if (this.#isBroken) return end
      if (!goesOn) {
        this.#stopped = true
        return begin
      }
    }
    if (end - begin > lineBytesMax) this.#tell(bytes, begin, end)
    return begin
  }

  #tell(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#hasNul && end - start <= lineBytesMax) return this.#sink.line(bytes, start, end)
    this.#break(bytes, start, end)
    return false
  }

  #break(bytes: Uint8Array, start: number, end: number): void {
    this.#isBroken = true
    this.#sink.broken(bytes, start, end)
    this.close()
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const addedBytes = end - start
    if (this.#to + addedBytes > this.#kept.length && !this.#makeRoom(addedBytes)) {
      // Of the refused line its begin is shown, wherever that lies.
      if (this.keptBytes > 0) this.#break(this.#kept, this.#from, this.#to)
      else this.#break(bytes, start, end)
      return
    }
    this.#kept.set(bytes.subarray(start, end), this.#to)
    this.#to += addedBytes
  }

  #makeRoom(addedBytes: number): boolean {
    const neededBytes = this.keptBytes + addedBytes
    if (neededBytes <= this.#kept.length && this.#from > 0) {
      this.#kept.copyWithin(0, this.#from, this.#to)
      this.#moveBack()
      return true
    }
    const size = 2 ** Math.ceil(Math.log2(Math.max(256, neededBytes)))
    if (!this.#budget.change(this.#kept.length, size)) return false
    const roomy = Buffer.allocUnsafeSlow(size)
    this.#kept.copy(roomy, 0, this.#from, this.#to)
    this.#kept = roomy
    this.#moveBack()
    return true
  }

  /** What was kept now begins at 0. */
  #moveBack(): void {
    this.#to -= this.#from
    this.#scanned = Math.max(0, this.#scanned - this.#from)
    this.#from = 0
  }

  /** A long line is over: its buffer must not stay with each of ten thousand connections. */
  #shrink(): void {
    if (this.keptBytes === 0 && this.#kept.length > bufferBytesMax) this.#release()
  }

  #release(): void {
    this.#budget.change(this.#kept.length, 0)
    this.#kept = noBytes
    this.#from = 0
    this.#to = 0
    this.#scanned = 0
  }
}
