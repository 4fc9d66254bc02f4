import { copyBytes, viewOf } from '../protocol/bytes.ts'
import { Arena, textBytesMax } from './arena.ts'
import { Grid } from './grid.ts'
import { IndexTable } from './index-table.ts'
import { Origins } from './origins.ts'
import { createRecord, type HerdRecord, locationKind, textBytesOf } from './record.ts'
import { RecordTable } from './record-table.ts'

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
  readonly #records: RecordTable
  readonly #arena: Arena
  #table = new IndexTable()
  readonly #grid: Grid
  readonly #freeSlots: number[] = []
  readonly #before = { latitude: 0, longitude: 0 }
  #slotsUsed = 0
  #count = 0
  #sweepAt = 0

  constructor(limits: StateLimits) {
    this.limits = limits
    const count = limits.recordsMax
    this.#records = new RecordTable(count)
    this.#arena = new Arena(limits.textBytesMax)
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
    return this.#records.markAt(slot) !== 0 && !this.isOver(this.#records.heardMsAt(slot), nowMs)
  }

  /** Tells whether the slot holds a living location. */
  isLocation(slot: number, nowMs: number): boolean {
    return this.#records.markAt(slot) === locationKind + 1 && this.isLive(slot, nowMs)
  }

  /** Fills `target` with the record of a slot in use; its text is lent until the next change. */
  read(slot: number, target: HerdRecord): HerdRecord {
    target.kind = this.#records.markAt(slot) - 1
    target.origin = this.origins.at(this.#records.originAt(slot))
    target.sequence = this.#records.sequenceAt(slot)
    target.seconds = this.#records.secondsAt(slot)
    target.nanos = this.#records.nanosAt(slot)
    target.heardMs = this.#records.heardMsAt(slot)
    target.hops = this.#records.hopsAt(slot)
    target.latitude = this.latitudeAt(slot)
    target.longitude = this.longitudeAt(slot)
    target.text = this.#arena.bytes
    target.textStart = this.#records.addressAt(slot) * 16
    target.differenceBytes = this.#records.differenceBytesAt(slot)
    target.keyBytes = this.#records.keyBytesAt(slot)
    target.valueBytes = this.#records.valueBytesAt(slot)
    target.timeBytes = this.#records.timeBytesAt(slot)
    return target
  }

  /** Returns a new object with the record of a slot in use. */
  recordAt(slot: number): HerdRecord {
    return this.read(slot, createRecord(this.origins.at(this.#records.originAt(slot))))
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
    return seconds - this.#records.secondsAt(slot) || nanos - this.#records.nanosAt(slot)
  }

  /** The index of the origin of a slot in use; -1 for a free slot. */
  originAt(slot: number): number {
    return this.#records.markAt(slot) === 0 ? -1 : this.#records.originAt(slot)
  }

  /** The bytes that all texts lie in; lent until the next change. */
  get texts(): Uint8Array {
    return this.#arena.bytes
  }

  /** Where the key of a slot in use begins in `texts`, and how long it is. */
  keyStartAt(slot: number): number {
    return this.#records.addressAt(slot) * 16 + this.#records.differenceBytesAt(slot) + 1
  }

  keyBytesAt(slot: number): number {
    return this.#records.keyBytesAt(slot)
  }

  /** The kind of what a slot holds; -1 for a free slot. */
  kindAt(slot: number): number {
    return this.#records.markAt(slot) - 1
  }

  sequenceAt(slot: number): number {
    return this.#records.sequenceAt(slot)
  }

  /** Looks at the next `slotsMax` slots and frees those whose lifetime is over. */
  sweep(slotsMax: number, nowMs: number): void {
    if (this.limits.lifetimeMs === 0) return
    for (let left = Math.min(slotsMax, this.#slotsUsed); left > 0; left--) {
      if (this.#sweepAt >= this.#slotsUsed) this.#sweepAt = 0
      const slot = this.#sweepAt++
      if (this.#records.markAt(slot) !== 0 && !this.isLive(slot, nowMs)) this.#remove(slot)
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
      if (this.#records.hashAt(slot) === hash && this.#hasKey(slot, kind, bytes, start, end))
        return slot
      at = this.#table.after(at)
    }
    return -1
  }

  #hasKey(slot: number, kind: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#records.markAt(slot) !== kind + 1 || this.#records.keyBytesAt(slot) !== end - start)
      return false
    const texts = this.#arena.bytes
    let key = this.keyStartAt(slot)
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
    const origin = this.origins.at(this.#records.originAt(slot))
    if (record.origin.name !== origin.name) return record.origin.name > origin.name
    const start = this.#records.addressAt(slot) * 16
    const known = this.#arena.bytes.subarray(start, start + this.#records.textBytesAt(slot))
    const { text, textStart } = record
    return Buffer.compare(text.subarray(textStart, textStart + textBytesOf(record)), known) > 0
  }

  #insert(record: HerdRecord, hash: number): number {
    const units = Arena.unitsOf(textBytesOf(record))
    const isFull = this.#freeSlots.length === 0 && this.#slotsUsed === this.limits.recordsMax
    const address = isFull || textBytesOf(record) > textBytesMax ? -1 : this.#arena.take(units)
    if (address < 0) return refused.full
    const slot = this.#freeSlots.pop() ?? this.#slotsUsed++
    this.#records.setHash(slot, hash)
    if (this.#count === this.#table.room) this.#enlargeTable()
    this.#table.add(hash, slot)
    this.#fill(slot, address, record)
    this.#count++
    if (record.kind === locationKind) {
      this.#grid.add(slot, record.latitude, record.longitude)
      this.observer?.moved(slot, undefined)
    }
    return slot
  }

  /** At a million records this takes about 50 ms, once. */
  #enlargeTable(): void {
    this.#table = this.#table.larger()
    for (let slot = 0; slot < this.#slotsUsed; slot++)
      if (this.#records.markAt(slot) !== 0) this.#table.add(this.#records.hashAt(slot), slot)
  }

  #replace(slot: number, record: HerdRecord): number {
    const oldUnits = Arena.unitsOf(this.#records.textBytesAt(slot))
    const units = Arena.unitsOf(textBytesOf(record))
    let address = this.#records.addressAt(slot)
    if (units !== oldUnits) {
      const roomier = textBytesOf(record) > textBytesMax ? -1 : this.#arena.take(units)
      if (roomier < 0) return refused.full
      this.#arena.free(address, oldUnits)
      address = roomier
    }
    this.origins.at(this.#records.originAt(slot)).records--
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
    this.#records.fill(slot, address, record)
    record.origin.records++
    const { text, textStart } = record
    const textEnd = textStart + textBytesOf(record)
    copyBytes(viewOf(text), textStart, textEnd, this.#arena.view, address * 16)
  }

  #remove(slot: number): void {
    if (this.#records.markAt(slot) === locationKind + 1) {
      this.observer?.expired(slot)
      this.#grid.remove(slot)
    }
    this.#table.remove(this.#records.hashAt(slot), slot, (other) => this.#records.hashAt(other))
    this.#arena.free(this.#records.addressAt(slot), Arena.unitsOf(this.#records.textBytesAt(slot)))
    this.origins.at(this.#records.originAt(slot)).records--
    this.#records.free(slot)
    this.#freeSlots.push(slot)
    this.#count--
  }
}
