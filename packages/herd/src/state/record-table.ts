import type { HerdRecord } from './record.ts'

/** Bytes of one record's numbers; each view has its own count of them. */
const strideBytes = 48
const stride64 = strideBytes / 8
const stride32 = strideBytes / 4
const stride16 = strideBytes / 2

/*
 *  0 seconds f64 │ 8 heardMs f64 │ 16 sequence f64 │ 24 nanos u32 │ 28 hash u32 │ 32 address u32
 *  36 origin u16 │ 38 key u16 │ 40 value u16 │ 42 time u16 │ 44 kind u8 │ 45 hops u8 │ 46 difference u8
 */

/**
 * The numbers of all records by slot, those of one record side by side: an update among a million
 * waits for memory once or twice, not once for each number.
 */
export class RecordTable {
  readonly #f64: Float64Array
  readonly #u32: Uint32Array
  readonly #u16: Uint16Array
  readonly #u8: Uint8Array

  constructor(countMax: number) {
    const block = new ArrayBuffer(countMax * strideBytes)
    this.#f64 = new Float64Array(block)
    this.#u32 = new Uint32Array(block)
    this.#u16 = new Uint16Array(block)
    this.#u8 = new Uint8Array(block)
  }

  secondsAt(slot: number): number {
    return this.#f64[slot * stride64] as number
  }

  heardMsAt(slot: number): number {
    return this.#f64[slot * stride64 + 1] as number
  }

  sequenceAt(slot: number): number {
    return this.#f64[slot * stride64 + 2] as number
  }

  nanosAt(slot: number): number {
    return this.#u32[slot * stride32 + 6] as number
  }

  hashAt(slot: number): number {
    return this.#u32[slot * stride32 + 7] as number
  }

  /** Where its text lies in the arena. */
  addressAt(slot: number): number {
    return this.#u32[slot * stride32 + 8] as number
  }

  originAt(slot: number): number {
    return this.#u16[slot * stride16 + 18] as number
  }

  keyBytesAt(slot: number): number {
    return this.#u16[slot * stride16 + 19] as number
  }

  valueBytesAt(slot: number): number {
    return this.#u16[slot * stride16 + 20] as number
  }

  timeBytesAt(slot: number): number {
    return this.#u16[slot * stride16 + 21] as number
  }

  /** The kind plus 1; 0 marks a free slot. */
  markAt(slot: number): number {
    return this.#u8[slot * strideBytes + 44] as number
  }

  hopsAt(slot: number): number {
    return this.#u8[slot * strideBytes + 45] as number
  }

  differenceBytesAt(slot: number): number {
    return this.#u8[slot * strideBytes + 46] as number
  }

  /** How long the whole text is, with its three blanks. */
  textBytesAt(slot: number): number {
    return (
      this.differenceBytesAt(slot) +
      this.keyBytesAt(slot) +
      this.valueBytesAt(slot) +
      this.timeBytesAt(slot) +
      3
    )
  }

  /** Writes everything but the hash. */
  fill(slot: number, address: number, record: HerdRecord): void {
    const at64 = slot * stride64
    this.#f64[at64] = record.seconds
    this.#f64[at64 + 1] = record.heardMs
    this.#f64[at64 + 2] = record.sequence
    const at32 = slot * stride32
    this.#u32[at32 + 6] = record.nanos
    this.#u32[at32 + 8] = address
    const at16 = slot * stride16
    this.#u16[at16 + 18] = record.origin.index
    this.#u16[at16 + 19] = record.keyBytes
    this.#u16[at16 + 20] = record.valueBytes
    this.#u16[at16 + 21] = record.timeBytes
    const at8 = slot * strideBytes
    this.#u8[at8 + 44] = record.kind + 1
    this.#u8[at8 + 45] = record.hops
    this.#u8[at8 + 46] = record.differenceBytes
  }

  setHash(slot: number, hash: number): void {
    this.#u32[slot * stride32 + 7] = hash
  }

  /** Marks a slot as free. */
  free(slot: number): void {
    this.#u8[slot * strideBytes + 44] = 0
  }
}
