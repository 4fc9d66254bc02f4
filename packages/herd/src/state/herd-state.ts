import { Arena, textBytesMax } from './arena.ts'
import { Grid } from './grid.ts'
import { IndexTable } from './index-table.ts'
import { Origins } from './origins.ts'
import { createRecord, type HerdRecord, locationKind, textBytesOf } from './record.ts'

/** What became of a record that was put; a number from 0 up is its slot. */
export const refused = {
  /** What is known is newer, or the same. */
  old: -1,
  /** There is no room for one more client, or for its text. */
  full: -2,
  /** Its lifetime is over. */
  expired: -3,
} as const

/** How much the state holds, and how long. */
export interface StateLimits {
  /** Records at most; 1,000,000 take about 200 MiB. Memory is given as it fills. */
  readonly recordsMax: number
  /** Bytes of all texts together. */
  readonly textBytesMax: number
  /** How long a record lives after it was heard, in ms; 0: for ever. The same in the whole herd. */
  readonly lifetimeMs: number
  /** Differs in each process, so that nobody can choose keys that fall on one place. */
  readonly hashSeed: number
}

/** Told of every change; the fences live on it. */
export interface StateObserver {
  /** A location was stored; `from` is where the client was before, undefined when it is new. */
  moved(
    slot: number,
    from: { readonly latitude: number; readonly longitude: number } | undefined,
  ): void
  /** A location's lifetime is over; the slot still holds it during the call. */
  expired(slot: number): void
}

/**
 * The records of the herd: the newest one for each kind and key. Which of two is newer is decided by
 * the client's time, then by the id of the server that heard it, then by the text; so every order
 * of arrival ends in the same state. Everything lies in typed arrays by slot: a million records are
 * no burden to the collector.
 */
export class HerdState {
  readonly origins = new Origins()
  readonly limits: StateLimits
  observer: StateObserver | undefined
  readonly #seconds: Float64Array
  readonly #nanos: Uint32Array
  readonly #heardMs: Float64Array
  readonly #sequence: Float64Array
  readonly #origin: Uint16Array
  readonly #hops: Uint8Array
  /** The kind plus 1; 0 marks a free slot. */
  readonly #kind: Uint8Array
  readonly #hash: Uint32Array
  readonly #address: Uint32Array
  readonly #differenceBytes: Uint8Array
  readonly #keyBytes: Uint16Array
  readonly #valueBytes: Uint16Array
  readonly #timeBytes: Uint16Array
  readonly #arena: Arena
  readonly #table: IndexTable
  readonly #grid: Grid
  readonly #freeSlots: number[] = []
  readonly #before = { latitude: 0, longitude: 0 }
  #slotsUsed = 0
  #count = 0
  #sweepAt = 0

  constructor(limits: StateLimits) {
    this.limits = limits
    const count = limits.recordsMax
    this.#seconds = new Float64Array(count)
    this.#nanos = new Uint32Array(count)
    this.#heardMs = new Float64Array(count)
    this.#sequence = new Float64Array(count)
    this.#origin = new Uint16Array(count)
    this.#hops = new Uint8Array(count)
    this.#kind = new Uint8Array(count)
    this.#hash = new Uint32Array(count)
    this.#address = new Uint32Array(count)
    this.#differenceBytes = new Uint8Array(count)
    this.#keyBytes = new Uint16Array(count)
    this.#valueBytes = new Uint16Array(count)
    this.#timeBytes = new Uint16Array(count)
    this.#arena = new Arena(limits.textBytesMax)
    this.#table = new IndexTable(count)
    this.#grid = new Grid(count)
  }

  /** How many records there are, those whose lifetime has just ended included. */
  get count(): number {
    return this.#count
  }

  /** All slots in use are below this. */
  get slotsEnd(): number {
    return this.#slotsUsed
  }

  get grid(): Grid {
    return this.#grid
  }

  /** Bytes of text that were ever in use. */
  get textBytesUsed(): number {
    return this.#arena.usedBytes
  }

  /** Returns the slot of the key `bytes[start, end)`, or -1. */
  find(kind: number, bytes: Uint8Array, start: number, end: number): number {
    return this.#find(kind, bytes, start, end, this.#hashOf(kind, bytes, start, end))
  }

  /**
   * Stores the record unless it is old, expired or finds no room; returns its slot, or one of
   * `refused`.
   */
  put(record: HerdRecord, nowMs: number): number {
    return this.#put(record, nowMs, false)
  }

  /** As `put`, but of two records of one time the first one stays: what a client says itself. */
  putLater(record: HerdRecord, nowMs: number): number {
    return this.#put(record, nowMs, true)
  }

  /** Tells whether what was heard at `heardMs` has outlived its lifetime. */
  isOver(heardMs: number, nowMs: number): boolean {
    return this.limits.lifetimeMs > 0 && heardMs + this.limits.lifetimeMs <= nowMs
  }

  /** Tells whether the slot holds a record that lives. */
  isLive(slot: number, nowMs: number): boolean {
    return this.#kind[slot] !== 0 && !this.isOver(this.#heardMs[slot] as number, nowMs)
  }

  /** Tells whether the slot holds a living location. */
  isLocation(slot: number, nowMs: number): boolean {
    return this.#kind[slot] === locationKind + 1 && this.isLive(slot, nowMs)
  }

  /** Fills `target` with the record of a slot in use; its text is lent until the next change. */
  read(slot: number, target: HerdRecord): HerdRecord {
    target.kind = (this.#kind[slot] as number) - 1
    target.origin = this.origins.at(this.#origin[slot] as number)
    target.sequence = this.#sequence[slot] as number
    target.seconds = this.#seconds[slot] as number
    target.nanos = this.#nanos[slot] as number
    target.heardMs = this.#heardMs[slot] as number
    target.hops = this.#hops[slot] as number
    target.latitude = this.latitudeAt(slot)
    target.longitude = this.longitudeAt(slot)
    target.text = this.#arena.bytes
    target.textStart = (this.#address[slot] as number) * 16
    target.differenceBytes = this.#differenceBytes[slot] as number
    target.keyBytes = this.#keyBytes[slot] as number
    target.valueBytes = this.#valueBytes[slot] as number
    target.timeBytes = this.#timeBytes[slot] as number
    return target
  }

  /** Returns a new object with the record of a slot in use. */
  recordAt(slot: number): HerdRecord {
    return this.read(slot, createRecord(this.origins.at(this.#origin[slot] as number)))
  }

  /** Degrees of a location, to 1e-7. */
  latitudeAt(slot: number): number {
    return this.#grid.latitudeAt(slot)
  }

  longitudeAt(slot: number): number {
    return this.#grid.longitudeAt(slot)
  }

  /** Compares the client's time with that of a slot: above 0 when the given one is later. */
  compareTime(seconds: number, nanos: number, slot: number): number {
    return seconds - (this.#seconds[slot] as number) || nanos - (this.#nanos[slot] as number)
  }

  /** Tells whether the slot holds a record that `origin` numbered above `sequence`. */
  isAfter(slot: number, originIndex: number, sequence: number): boolean {
    return this.#origin[slot] === originIndex && (this.#sequence[slot] as number) > sequence
  }

  /** The index of the origin of a slot in use; -1 for a free slot. */
  originAt(slot: number): number {
    return this.#kind[slot] === 0 ? -1 : (this.#origin[slot] as number)
  }

  /** How long the key of a slot in use is. */
  keyBytesAt(slot: number): number {
    return this.#keyBytes[slot] as number
  }

  /** The kind of what a slot holds; -1 for a free slot. */
  kindAt(slot: number): number {
    return (this.#kind[slot] as number) - 1
  }

  sequenceAt(slot: number): number {
    return this.#sequence[slot] as number
  }

  /** Looks at the next `slotsMax` slots and frees those whose lifetime is over. */
  sweep(slotsMax: number, nowMs: number): void {
    if (this.limits.lifetimeMs === 0) return
    for (let left = Math.min(slotsMax, this.#slotsUsed); left > 0; left--) {
      if (this.#sweepAt >= this.#slotsUsed) this.#sweepAt = 0
      const slot = this.#sweepAt++
      if (this.#kind[slot] !== 0 && !this.isLive(slot, nowMs)) this.#remove(slot)
    }
  }

  #put(record: HerdRecord, nowMs: number, mustBeLater: boolean): number {
    const { kind, text, textStart, differenceBytes, keyBytes } = record
    if (this.isOver(record.heardMs, nowMs)) return refused.expired
    const keyStart = textStart + differenceBytes + 1
    const hash = this.#hashOf(kind, text, keyStart, keyStart + keyBytes)
    const slot = this.#find(kind, text, keyStart, keyStart + keyBytes, hash)
    if (slot < 0) return this.#insert(record, hash)
    const later = this.compareTime(record.seconds, record.nanos, slot)
    const isNews = later > 0 || (later === 0 && !mustBeLater && this.#isAbove(record, slot))
    return isNews ? this.#replace(slot, record) : refused.old
  }

  #find(kind: number, bytes: Uint8Array, start: number, end: number, hash: number): number {
    let at = this.#table.start(hash)
    for (let slot = this.#table.at(at); slot >= 0; slot = this.#table.at(at)) {
      if (this.#hash[slot] === hash && this.#hasKey(slot, kind, bytes, start, end)) return slot
      at = this.#table.after(at)
    }
    return -1
  }

  #hasKey(slot: number, kind: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#kind[slot] !== kind + 1 || this.#keyBytes[slot] !== end - start) return false
    const texts = this.#arena.bytes
    let key = (this.#address[slot] as number) * 16 + (this.#differenceBytes[slot] as number) + 1
    for (let at = start; at < end; at++) if (texts[key++] !== bytes[at]) return false
    return true
  }

  /** FNV-1a, which is public domain, from a secret start. */
  #hashOf(kind: number, bytes: Uint8Array, start: number, end: number): number {
    let hash = Math.imul(this.limits.hashSeed ^ kind, 0x0100_0193)
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193)
    return (hash ^ (hash >>> 15)) >>> 0
  }

  /** Decides between records of one time: the id of the server that heard it, then the text. */
  #isAbove(record: HerdRecord, slot: number): boolean {
    const origin = this.origins.at(this.#origin[slot] as number)
    if (record.origin.name !== origin.name) return record.origin.name > origin.name
    const start = (this.#address[slot] as number) * 16
    const known = this.#arena.bytes.subarray(start, start + this.#textBytes(slot))
    const { text, textStart } = record
    return Buffer.compare(text.subarray(textStart, textStart + textBytesOf(record)), known) > 0
  }

  #textBytes(slot: number): number {
    return (
      (this.#differenceBytes[slot] as number) +
      (this.#keyBytes[slot] as number) +
      (this.#valueBytes[slot] as number) +
      (this.#timeBytes[slot] as number) +
      3
    )
  }

  #insert(record: HerdRecord, hash: number): number {
    const units = Arena.unitsOf(textBytesOf(record))
    const isFull = this.#freeSlots.length === 0 && this.#slotsUsed === this.limits.recordsMax
    const address = isFull || textBytesOf(record) > textBytesMax ? -1 : this.#arena.take(units)
    if (address < 0) return refused.full
    const slot = this.#freeSlots.pop() ?? this.#slotsUsed++
    this.#kind[slot] = record.kind + 1
    this.#hash[slot] = hash
    this.#table.add(hash, slot)
    this.#fill(slot, address, record)
    this.#count++
    if (record.kind === locationKind) {
      this.#grid.add(slot, record.latitude, record.longitude)
      this.observer?.moved(slot, undefined)
    }
    return slot
  }

  #replace(slot: number, record: HerdRecord): number {
    const oldUnits = Arena.unitsOf(this.#textBytes(slot))
    const units = Arena.unitsOf(textBytesOf(record))
    let address = this.#address[slot] as number
    if (units !== oldUnits) {
      const roomier = textBytesOf(record) > textBytesMax ? -1 : this.#arena.take(units)
      if (roomier < 0) return refused.full
      this.#arena.free(address, oldUnits)
      address = roomier
    }
    this.origins.at(this.#origin[slot] as number).records--
    this.#before.latitude = this.latitudeAt(slot)
    this.#before.longitude = this.longitudeAt(slot)
    this.#fill(slot, address, record)
    if (record.kind === locationKind) {
      this.#grid.move(slot, record.latitude, record.longitude)
      this.observer?.moved(slot, this.#before)
    }
    return slot
  }

  #fill(slot: number, address: number, record: HerdRecord): void {
    this.#seconds[slot] = record.seconds
    this.#nanos[slot] = record.nanos
    this.#heardMs[slot] = record.heardMs
    this.#sequence[slot] = record.sequence
    this.#origin[slot] = record.origin.index
    this.#hops[slot] = record.hops
    this.#address[slot] = address
    this.#differenceBytes[slot] = record.differenceBytes
    this.#keyBytes[slot] = record.keyBytes
    this.#valueBytes[slot] = record.valueBytes
    this.#timeBytes[slot] = record.timeBytes
    record.origin.records++
    const { text, textStart } = record
    const start = address * 16
    const textBytes = textBytesOf(record)
    const texts = this.#arena.bytes
    for (let at = 0; at < textBytes; at++) texts[start + at] = text[textStart + at] as number
  }

  #remove(slot: number): void {
    if (this.#kind[slot] === locationKind + 1) {
      this.observer?.expired(slot)
      this.#grid.remove(slot)
    }
    this.#table.remove(this.#hash[slot] as number, slot, (other) => this.#hash[other] as number)
    this.#arena.free(this.#address[slot] as number, Arena.unitsOf(this.#textBytes(slot)))
    this.origins.at(this.#origin[slot] as number).records--
    this.#kind[slot] = 0
    this.#freeSlots.push(slot)
    this.#count--
  }
}
