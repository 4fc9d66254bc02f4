import { fault } from '../errors.ts'
import type { LogOptions } from '../options.ts'
import { baseOffsetAt, nextOffsetAt, timeAt } from './batch.ts'
import type { Disk } from './disk.ts'
import { type Damage, Segment, segmentBaseOf, segmentHeaderBytes, segmentPath } from './segment.ts'

/** A batch that is in a write-ahead file and not yet in a segment. */
interface TailEntry {
  readonly base: number
  readonly next: number
  readonly batch: Buffer
}

/** What a snapshot says about the segment that was written last. */
export interface Flushed {
  readonly base: number
  readonly bytes: number
  readonly next: number
}

/**
 * The records of one partition: segments on disk, then the tail, which lives in the broker's
 * write-ahead files and in memory until it is handed on to a segment.
 *
 *   start ▼                       flushed ▼          durable ▼      end ▼
 *   [ segment ][ segment ][ last segment ][ tail: readable ][ tail: not ]
 */
export class PartitionLog {
  readonly id: number
  /** A folder of its own for each time that the partition comes to this broker. */
  readonly folder: string
  /** The number of the event that opened it. */
  readonly opened: number
  readonly #disk: Disk
  readonly #options: LogOptions
  #segments: Segment[] = []
  #tail: TailEntry[] = []
  /** Entries of the tail before this are in segments already; cut off in slices, not one by one. */
  #tailFrom = 0
  #tailBytes = 0
  /** Nothing before it is served any more: removed by retention or a purge. */
  start = 0
  /** The offset of the next record. */
  end = 0
  /** Readers see nothing from here on. */
  durable = 0
  damage: Damage | undefined

  constructor(id: number, opened: number, disk: Disk, options: LogOptions) {
    this.id = id
    this.opened = opened
    this.folder = `p${id}-${opened}`
    this.#disk = disk
    this.#options = options
  }

  /**
   * Opens the segments as the snapshot knew them. What was written behind them is cut off: it is
   * in the write-ahead files, and after a failed sync only those tell what is really there.
   */
  async open(flushed: Flushed | undefined, start: number): Promise<void> {
    this.start = start
    this.end = this.durable = Math.max(start, flushed?.next ?? 0)
    const names = await this.#disk.list(this.folder)
    const bases = names.map(segmentBaseOf).filter((base) => base !== undefined)
    for (const base of bases) {
      if (flushed && base <= flushed.base) await this.#openSegment(base, flushed)
      else await this.#disk.remove(segmentPath(this.folder, base))
    }
    this.start = Math.max(start, this.#segments[0]?.base ?? 0)
    if (flushed && flushed.next > start && this.#segments.at(-1)?.base !== flushed.base)
      this.damage ??= { path: segmentPath(this.folder, flushed.base), position: 0 }
  }

  async #openSegment(base: number, flushed: Flushed): Promise<void> {
    const last = base === flushed.base
    const path = segmentPath(this.folder, base)
    const bytes = last ? flushed.bytes : Number.POSITIVE_INFINITY
    const { indexEveryBytes } = this.#options
    const { segment, damage } = await Segment.open(
      this.#disk,
      path,
      this.id,
      bytes,
      indexEveryBytes,
    )
    this.#segments.push(segment)
    this.damage ??= damage
    if (last && !damage) await segment.cutTail()
    if (last && segment.next !== flushed.next) this.damage ??= { path, position: segment.bytes }
  }

  /** Takes a stamped batch whose first offset is `end`. It is not durable yet. */
  append(batch: Buffer): void {
    const base = baseOffsetAt(batch)
    if (base < this.end) throw new RangeError(`offset ${base} is before the end ${this.end}`)
    this.end = nextOffsetAt(batch)
    this.#tail.push({ base, next: this.end, batch })
    this.#tailBytes += batch.length
  }

  /** Leaves out the offsets up to `offset`. */
  skipTo(offset: number): void {
    this.end = Math.max(this.end, offset)
  }

  /** Bytes on disk and in the tail. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, this.#tailBytes)
  }

  get flushed(): Flushed | undefined {
    const last = this.#segments.at(-1)
    return last && { base: last.base, bytes: last.bytes, next: last.next }
  }

  /**
   * Returns whole durable batches from the one that holds `offset` on: about `bytesMax`, at least one
   * when there is one. Throws LOG_DAMAGED that names file and position.
   */
  async read(offset: number, bytesMax: number): Promise<Buffer[]> {
    const from = Math.max(offset, this.start)
    if (from >= this.durable) return []
    const first = this.#tail[this.#tailFrom]
    if (first && from >= first.base) return this.#readTail(from, bytesMax)
    for (const segment of this.#segmentsFrom(from)) {
      const bytes = await segment.read(from, bytesMax)
      if (bytes.length > 0) return [bytes]
    }
    if (this.damage) throw damagedAt(this.damage)
    // The tail may have been handed on while we read.
    return from < this.durable ? this.#readTail(from, bytesMax) : []
  }

  #readTail(from: number, bytesMax: number): Buffer[] {
    let low = this.#tailFrom
    let high = this.#tail.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#tail[middle]?.next ?? 0) <= from) low = middle + 1
      else high = middle
    }
    const batches: Buffer[] = []
    let bytes = 0
    for (let at = low; at < this.#tail.length; at++) {
      const entry = this.#tail[at] as TailEntry
      if (entry.next > this.durable || (bytes > 0 && bytes + entry.batch.length > bytesMax)) break
      batches.push(entry.batch)
      bytes += entry.batch.length
    }
    return batches
  }

  #segmentsFrom(offset: number): Segment[] {
    return this.#segments.filter((segment) => segment.next > offset)
  }

  /** Returns the offset of the first batch stored at `timeMs` or later; the end when there is none. */
  async offsetAt(timeMs: number): Promise<number> {
    const segment = this.#segments.find((one) => one.lastTimeMs >= timeMs)
    let from = Math.max(this.start, segment?.index.findTime(timeMs) ?? this.flushed?.next ?? 0)
    while (from < this.durable) {
      for (const bytes of await this.read(from, 262_144)) {
        const found = firstNotBefore(bytes, timeMs)
        if (found !== undefined) return Math.max(from, found)
        from = lastNext(bytes)
      }
    }
    return this.durable
  }

  /** Hands the tail up to `offset` on to segments and syncs them; the tail is kept until `release`. */
  async flush(offset: number): Promise<void> {
    const batches: Buffer[] = []
    const from = this.flushed?.next ?? 0
    for (let at = this.#tailFrom; at < this.#tail.length; at++) {
      const entry = this.#tail[at] as TailEntry
      if (entry.next > offset) break
      if (entry.base >= from) batches.push(entry.batch)
    }
    if (batches.length === 0) return
    let pending: Buffer[] = []
    let segment = await this.#segmentToFill(batches[0] as Buffer)
    let room = this.#options.segmentBytes - segment.bytes
    for (const batch of batches) {
      if (room < batch.length && (pending.length > 0 || segment.bytes > segmentHeaderBytes)) {
        await segment.append(pending)
        pending = []
        segment = await this.#nextSegment(baseOffsetAt(batch))
        room = this.#options.segmentBytes
      }
      pending.push(batch)
      room -= batch.length
    }
    await segment.append(pending)
    await segment.sync()
    this.#release()
  }

  async #segmentToFill(batch: Buffer): Promise<Segment> {
    const last = this.#segments.at(-1)
    if (last && last.bytes < this.#options.segmentBytes) return last
    return this.#nextSegment(baseOffsetAt(batch))
  }

  /** Finishes the last segment, index and all, and begins another. */
  async #nextSegment(base: number): Promise<Segment> {
    const last = this.#segments.at(-1)
    if (last) {
      await last.sync()
      await last.saveIndex(this.#disk)
    } else {
      await this.#disk.makeFolder(this.folder)
      await this.#disk.syncFolder('.')
    }
    const path = segmentPath(this.folder, base)
    const { indexEveryBytes } = this.#options
    const segment = await Segment.create(this.#disk, path, this.id, base, indexEveryBytes)
    await segment.sync()
    await this.#disk.syncFolder(this.folder)
    this.#segments.push(segment)
    return segment
  }

  /** Forgets the part of the tail that is in segments now. */
  #release(): void {
    const flushed = this.flushed?.next ?? 0
    while (this.#tailFrom < this.#tail.length) {
      const entry = this.#tail[this.#tailFrom] as TailEntry
      if (entry.next > flushed) break
      this.#tailBytes -= entry.batch.length
      this.#tailFrom++
    }
    this.#tail = this.#tail.slice(this.#tailFrom)
    this.#tailFrom = 0
  }

  /**
   * Removes the oldest segments that are over `bytesMax`, older than `beforeMs`, or wholly before
   * `start`; never the one that is being filled. Returns how many went.
   */
  async retain(bytesMax: number, beforeMs: number): Promise<number> {
    let removed = 0
    while (this.#segments.length > 1) {
      const [oldest, following] = this.#segments as [Segment, Segment]
      const tooMuch = bytesMax > 0 && this.bytes - oldest.bytes >= bytesMax
      const tooOld = beforeMs > 0 && oldest.lastTimeMs < beforeMs
      if (!tooMuch && !tooOld && oldest.next > this.start) break
      this.start = Math.max(this.start, following.base)
      this.#segments.shift()
      await oldest.close()
      await this.#disk.remove(oldest.path)
      await this.#disk.remove(oldest.path.replace(/\.log$/, '.index'))
      removed++
    }
    return removed
  }

  /** Begins a new segment when all that the last one holds may go: it is old, or before `start`. */
  async rollWhenIdle(beforeMs: number): Promise<boolean> {
    const last = this.#segments.at(-1)
    if (!last || last.bytes <= segmentHeaderBytes || this.#tail.length > 0) return false
    if (!(beforeMs > 0 && last.lastTimeMs < beforeMs) && last.next > this.start) return false
    await this.#nextSegment(this.end)
    return true
  }

  /** The segments that are full and will not change by appending. */
  get closedSegments(): readonly Segment[] {
    return this.#segments.slice(0, -1)
  }

  /** Puts `segment` in the place of the one with the same first offset in its name. */
  async replace(old: Segment, segment: Segment): Promise<void> {
    this.#segments = this.#segments.map((one) => (one === old ? segment : one))
    await old.close()
  }

  /** Saves the index of the last segment, so that the next open need not walk over it. */
  async saveIndex(): Promise<void> {
    await this.#segments.at(-1)?.saveIndex(this.#disk)
  }

  async close(): Promise<void> {
    for (const segment of this.#segments) await segment.close()
  }
}

function damagedAt({ path, position }: Damage) {
  return fault('LOG_DAMAGED', `${path}: the bytes at ${position} are not what was written`)
}

function firstNotBefore(bytes: Buffer, timeMs: number): number | undefined {
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 8))
    if (timeAt(bytes, at) >= timeMs) return baseOffsetAt(bytes, at)
  return undefined
}

function lastNext(bytes: Buffer): number {
  let next = 0
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 8))
    next = nextOffsetAt(bytes, at)
  return next
}
