import { fault } from '../errors.ts'
import { baseOffsetAt, batchKinds, kindAt, nextOffsetAt, partitionAt, stampBatch } from './batch.ts'
import { CommitLoop } from './commit-loop.ts'
import { compactLog } from './compaction.ts'
import { decodeEvent, encodeEvent } from './event-batch.ts'
import { PartitionLog } from './partition-log.ts'
import type { Damage } from './segment.ts'
import {
  type Capture,
  isSnapshot,
  readSnapshot,
  type Snapshot,
  snapshotBody,
  writeSnapshot,
} from './snapshot.ts'
import type { LogEvent, Retention, StoreEvent, StoreOptions } from './state-machine.ts'
import { walPath } from './wal-file.ts'
import { reservePath, WalFiles } from './wal-files.ts'
import { readWals } from './wal-replay.ts'

/** The number that events carry in the place of a partition. */
const eventPartition = 0xffff_ffff

/**
 * The storage of one broker: one write-ahead log for all its partitions and for the events of its
 * state, handed on to segments and a snapshot whenever a write-ahead file is full.
 *
 *   append ─▶ commit loop ─▶ wal-7.log ──full──▶ hand on: segments, then snapshot, then remove wal-7
 */
export class Store {
  readonly partitions = new Map<number, PartitionLog>()
  /** A write-ahead file spoilt in the middle: the store serves what came before and takes nothing. */
  damage: Damage | undefined
  readonly #with: StoreOptions
  readonly #loop: CommitLoop
  #wals: WalFiles | undefined
  #sequence = 0
  /** The last event that is in a write-ahead file, and, at recovery, the last one met there. */
  #written = 0
  #seen = 0
  #rollWanted = false
  #handing: Promise<void> | undefined
  #handingMark = 0
  /** Work on segments, one after the other. */
  #turns: Promise<unknown> = Promise.resolve()
  readonly #dropped: PartitionLog[] = []
  #closed = false

  private constructor(using: StoreOptions) {
    this.#with = using
    const { commitBytesMax, waitingBytesMax } = using.options
    this.#loop = new CommitLoop({
      commitBytesMax,
      waitingBytesMax,
      write: (batches, bytes) => this.#write(batches, bytes),
      onDurable: (batches) => this.#publish(batches),
      onFailure: using.onFailure,
    })
  }

  /**
   * Opens what the disk holds: the newest snapshot, then the write-ahead files behind it; all that
   * is handed on to segments before anybody reads it. Throws LOG_DAMAGED for a spoilt snapshot.
   */
  static async open(using: StoreOptions): Promise<Store> {
    const store = new Store(using)
    const { disk } = using
    const snapshot = await readSnapshot(disk)
    if (snapshot) await store.#restore(snapshot)
    const applied = new Map(snapshot?.partitions.map((one) => [one.id, one.applied]))
    const begin = (after: number) => {
      store.#seen = after
    }
    const { ids, damage } = await readWals(disk, using.log, begin, (batch, path) => {
      store.#replay(batch, path, applied)
      return store.damage
    })
    store.damage = damage
    if (!damage) await store.#begin(ids)
    // What stands before the damage is whole; it may be served.
    else for (const log of store.partitions.values()) log.durable = log.end
    return store
  }

  async #restore(snapshot: Snapshot): Promise<void> {
    this.#sequence = snapshot.sequence
    for (const { id, start, flushed, opened } of snapshot.partitions) {
      const log = this.#newLog(id, opened)
      await log.open(flushed, start)
    }
    this.#with.machine.restore(snapshot.state)
  }

  #newLog(id: number, opened: number): PartitionLog {
    const log = new PartitionLog(id, opened, this.#with.disk, this.#with.options)
    this.partitions.set(id, log)
    return log
  }

  #replay(batch: Buffer, path: string, applied: Map<number, number>): void {
    if (kindAt(batch) === batchKinds.event) this.#replayEvent(batch, path, applied)
    else this.#replayRecords(batch, path, applied)
  }

  #replayRecords(batch: Buffer, path: string, applied: Map<number, number>): void {
    const log = this.partitions.get(partitionAt(batch))
    // Records from before this partition came here (again) are those of an older copy.
    if (!log || this.damage || this.#seen < log.opened) return
    const base = baseOffsetAt(batch)
    if (base > log.end) log.damage ??= { path, position: log.end }
    if (base >= log.end) log.append(batch)
    if (base >= (applied.get(log.id) ?? 0)) this.#with.machine.applyBatch(log.id, batch)
  }

  #replayEvent(batch: Buffer, path: string, applied: Map<number, number>): void {
    const sequence = baseOffsetAt(batch)
    this.#seen = sequence
    if (sequence <= this.#sequence || this.damage) return
    if (sequence !== this.#sequence + 1) {
      this.damage = { path, position: 0 }
      return
    }
    this.#sequence = sequence
    const event = decodeEvent(batch)
    if (event.type === 'log.open') applied.delete(event.id ?? -1)
    this.#applyToLogs(event as LogEvent)
    this.#with.machine.applyEvent(event)
  }

  #applyToLogs(event: LogEvent): void {
    if (event.type === 'log.open') {
      const log = this.#newLog(event.id, this.#sequence)
      log.start = log.end = log.durable = event.start
    } else if (event.type === 'log.drop') {
      const log = this.partitions.get(event.id)
      if (log) this.#dropped.push(log)
      this.partitions.delete(event.id)
    } else if (event.type === 'log.start') {
      const log = this.partitions.get(event.id)
      if (log) log.start = Math.max(log.start, event.offset)
    } else if (event.type === 'log.skip') this.partitions.get(event.id)?.skipTo(event.offset)
  }

  /** Makes everything replayed last in segments and a snapshot, and begins a new write-ahead file. */
  async #begin(oldIds: readonly number[]): Promise<void> {
    const { disk } = this.#with
    for (const log of this.partitions.values()) {
      await log.flush(log.end)
      log.durable = log.end
    }
    await this.#saveSnapshot(this.#capture())
    for (const id of oldIds) await disk.remove(walPath(id))
    await disk.remove(reservePath)
    await disk.syncFolder('.')
    this.#written = this.#sequence
    const { random, options } = this.#with
    const onFailure = (cause: unknown) => this.#fail(cause)
    const using = { disk, random, fileBytes: options.walBytes, onFailure }
    this.#wals = await WalFiles.begin(using, (oldIds.at(-1) ?? 0) + 1)
  }

  /** Throws when a batch of `bytes` cannot be taken now: BROKER_BUSY, DISK_FAILED, LOG_DAMAGED. */
  check(bytes: number): void {
    if (this.#closed) throw fault('BROKER_STOPPED', 'the broker is stopping')
    if (this.damage) {
      const { path, position } = this.damage
      throw fault('LOG_DAMAGED', `${path}: the bytes at ${position} are not what was written`)
    }
    this.#loop.checkRoom(bytes)
  }

  /** Stamps `batch` with the next offset and stores it; resolves when it is durable. */
  append(id: number, batch: Buffer, epoch: number): Promise<void> {
    const log = this.partitions.get(id)
    if (!log) throw new RangeError(`partition ${id} is not open`)
    stampBatch(batch, {
      partition: id,
      baseOffset: log.end,
      timeMs: this.#with.clock.now(),
      epoch,
    })
    return this.appendStamped(id, batch)
  }

  /** Stores a batch that has its offset already, copied from another broker. */
  appendStamped(id: number, batch: Buffer): Promise<void> {
    this.check(batch.length)
    const log = this.partitions.get(id)
    if (!log) throw new RangeError(`partition ${id} is not open`)
    const base = baseOffsetAt(batch)
    // Compaction left records out there; the replay must not take it for a loss.
    if (base > log.end) this.event({ type: 'log.skip', id, ...{ offset: base } }).catch(() => {})
    log.append(batch)
    this.#with.machine.applyBatch(id, batch)
    return this.#add(batch)
  }

  /** Applies `event` at once and stores it; resolves when it is durable. */
  event(event: StoreEvent): Promise<void> {
    this.check(0)
    const batch = encodeEvent(event)
    this.#sequence++
    stampBatch(batch, {
      partition: eventPartition,
      baseOffset: this.#sequence,
      timeMs: this.#with.clock.now(),
      epoch: 0,
    })
    try {
      this.#applyToLogs(event as LogEvent)
      this.#with.machine.applyEvent(event)
    } catch (error) {
      // A number left out would be taken for a loss at the next open.
      this.#sequence--
      throw error
    }
    return this.#add(batch)
  }

  #add(batch: Buffer): Promise<void> {
    const stored = new Promise<void>((resolve, reject) => {
      this.#loop.add(batch, (error) => (error === undefined ? resolve() : reject(error)))
    })
    // Whoever waits is told of a failure. Whoever gave up meanwhile must not end the process.
    stored.catch(() => {})
    return stored
  }

  #publish(batches: readonly Buffer[]): void {
    for (const batch of batches) {
      if (kindAt(batch) === batchKinds.event) {
        this.#written = baseOffsetAt(batch)
        continue
      }
      const log = this.partitions.get(partitionAt(batch))
      // A partition dropped and opened again under its number must not be moved by old batches.
      if (!log || nextOffsetAt(batch) > log.end) continue
      log.durable = Math.max(log.durable, nextOffsetAt(batch))
      this.#with.onPublish?.(log.id)
    }
  }

  async #write(batches: readonly Buffer[], bytes: number): Promise<void> {
    if (!this.#wals) throw new Error('no write-ahead file')
    if (this.#rollWanted || this.#wals.wantsRoll(bytes)) await this.#roll(this.#wals)
    await this.#wals.write(batches, bytes, this.#written)
  }

  /** Goes on in the next write-ahead file, and hands the sealed ones on meanwhile. */
  async #roll(wals: WalFiles): Promise<void> {
    // Handing on may wait for batches that only we can write; then it must not be waited for.
    if (this.#handing !== undefined && this.#loop.durable >= this.#handingMark) await this.#handing
    this.#rollWanted = false
    const capture = this.#handing !== undefined ? undefined : this.#capture()
    await wals.roll(this.#written)
    if (!capture) return
    this.#handingMark = capture.mark
    wals.take()
    this.#handing = this.#inTurn(() => this.#handOn(capture, wals))
      .catch((cause) => this.#fail(cause))
      .finally(() => {
        this.#handing = undefined
      })
  }

  #fail(cause: unknown): void {
    const failure = fault('DISK_FAILED', 'the log cannot be handed on to its segments', { cause })
    if (this.#closed) return
    this.#closed = true
    this.#loop.fail(failure)
    this.#with.onFailure(failure)
  }

  /** Notes the state of this moment; it may be ahead of what is durable. */
  #capture(): Capture {
    const durable = this.#loop.whenDurable()
    durable.catch(() => {})
    return {
      sequence: this.#sequence,
      state: JSON.stringify(this.#with.machine.snapshot()),
      partitions: [...this.partitions.values()].map((log) => ({
        log,
        applied: log.end,
        upTo: log.durable,
      })),
      mark: this.#loop.added,
      durable,
    }
  }

  async #handOn(capture: Capture, wals: WalFiles): Promise<void> {
    for (const { log, upTo } of capture.partitions) await log.flush(upTo)
    await capture.durable
    await this.#saveSnapshot(capture)
    await wals.release()
  }

  async #saveSnapshot({ sequence, state, partitions }: Capture): Promise<void> {
    const { disk } = this.#with
    for (const log of this.#dropped.splice(0)) {
      await log.close()
      await disk.removeFolder(log.folder)
    }
    const kept = partitions.filter(({ log }) => this.partitions.get(log.id) === log)
    const body = snapshotBody(sequence, kept, state)
    const path = await writeSnapshot(disk, sequence, body)
    for (const name of await disk.list('.'))
      if (isSnapshot(name) && name !== path) await disk.remove(name)
  }

  /** Resolves when everything up to now is durable. */
  whenDurable(): Promise<void> {
    return this.#loop.whenDurable()
  }

  /** Hands everything on now and takes a snapshot. */
  async checkpoint(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      this.#rollWanted = true
      await this.event({ type: 'log.mark' })
      await this.#handing
      // A file sealed while another was handed on needs one more turn.
      if (!this.#wals?.hasSealed) break
    }
  }

  /** Removes and compacts what `retentionOf` says of each partition. */
  async housekeep(retentionOf: (id: number) => Retention | undefined): Promise<void> {
    let rolled = 0
    await this.#inTurn(async () => {
      for (const log of this.partitions.values()) {
        const { beforeMs = 0 } = retentionOf(log.id) ?? {}
        if (await log.rollWhenIdle(beforeMs)) rolled++
      }
    })
    // The snapshot must know the new segment before the old one may go.
    if (rolled > 0) await this.checkpoint()
    await this.#inTurn(async () => {
      for (const log of this.partitions.values()) {
        const retention = retentionOf(log.id)
        if (!retention) continue
        await log.retain(retention.bytesMax, retention.beforeMs)
        if (retention.compact && !log.damage)
          await compactLog(this.#with.disk, log, this.#with.options)
      }
    })
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turns.then(work)
    this.#turns = turn.catch(() => {})
    return turn
  }

  /** Bytes of all partitions on disk and in the tail. */
  get bytes(): number {
    return [...this.partitions.values()].reduce((sum, log) => sum + log.bytes, 0)
  }

  /** Hands everything on and closes; the next open has nothing to replay. */
  async close(): Promise<void> {
    if (this.#closed || this.damage) return this.abandon()
    await this.checkpoint()
    this.#closed = true
    await this.#loop.whenDurable()
    await this.#inTurn(async () => {
      for (const log of this.partitions.values()) await log.saveIndex()
    })
    await this.abandon()
  }

  /** Closes the files as they are, as after a failure. */
  async abandon(): Promise<void> {
    this.#closed = true
    this.#loop.fail(fault('BROKER_STOPPED', 'the broker has stopped'))
    await this.#loop.idle()
    await this.#turns
    const files = [...this.partitions.values()]
    const wals = this.#wals
    this.#wals = undefined
    // What counts was synced; a file that cannot be closed must not keep the others open.
    await Promise.allSettled([...files.map((file) => file.close()), wals?.close()])
  }
}
