import {
  type Cancel,
  type Clock,
  describeError,
  Fault,
  type Log,
  type Random,
  type Service,
} from '@drover/kernel'
import { fault } from '../errors.ts'
import { batchBytesAt, batchKinds, hasBatch, kindAt, partitionAt } from '../log/batch.ts'
import type { Disk } from '../log/disk.ts'
import { openAnew } from '../log/open-anew.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { Retention, StateMachine, StoreEvent } from '../log/state-machine.ts'
import { Store } from '../log/store.ts'
import type { LogOptions, QueueLimits } from '../options.ts'
import type { PartitionEvent, PartitionSpec } from './events.ts'
import { type KeptPartitionState, PartitionState } from './partition-state.ts'
import { Waiters } from './waiters.ts'
import { WorkDesk } from './work/work-desk.ts'

export interface BrokerOptions {
  readonly name: string
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits: QueueLimits
  readonly logOptions: LogOptions
}

/** How often leases are looked over, the disk's fullness, and retention, in ms. */
const sweepMs = 100
const usageMs = 1_000
const housekeepMs = 60_000
/** Handing on and opening need room for the write-ahead files once more. */
const walFilesMost = 3

/** One partition that this broker answers for: its state and its records. */
export interface Partition {
  readonly state: PartitionState
  readonly log: PartitionLog
}

/**
 * One broker: the partitions it owns, in one store. It knows no socket and no other broker.
 *
 *   opening ──▶ open ──write or sync failed──▶ reopening ──▶ open
 *                └── stop ──▶ stopped
 *
 * While it is reopening every call throws DISK_FAILED; what was not acknowledged may be lost then.
 */
export class Broker implements Service {
  readonly name: string
  readonly using: BrokerOptions
  readonly waiters: Waiters
  /** What hands out work. Made anew with the store: it keeps nothing that matters. */
  desk: WorkDesk
  #machine = new BrokerState()
  #store: Store | undefined
  #failure: unknown
  #reopening: Promise<void> | undefined
  #stopped = false
  readonly #stopping = new AbortController()
  readonly #timers: Cancel[] = []
  #usage = { freeBytes: 0, totalBytes: 0 }
  /** The share of the disk in use was over the mark when last looked at. */
  full: string | undefined

  constructor(using: BrokerOptions) {
    this.name = using.name
    this.using = using
    this.waiters = new Waiters(using.clock)
    this.desk = new WorkDesk(this)
  }

  /** Throws DISK_FAILED and LOG_DAMAGED. */
  async start(): Promise<void> {
    if (this.#store) return
    try {
      await this.#open()
      await this.checkUsage()
    } catch (cause) {
      if (cause instanceof Fault) throw cause
      throw fault('DISK_FAILED', `the files of broker ${this.name} cannot be opened`, { cause })
    }
    const { clock } = this.using
    this.#timers.push(
      clock.every(sweepMs, () => this.#quietly(() => this.desk.sweep())),
      clock.every(usageMs, () => this.#quietly(() => this.checkUsage())),
      clock.every(housekeepMs, () => this.#quietly(() => this.housekeep())),
    )
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#stopping.abort()
    for (const cancel of this.#timers.splice(0)) cancel()
    this.waiters.wakeAll()
    await this.#reopening
    await this.#store?.close()
  }

  /** Leaves everything as it is, as a killed process does; for simulations. */
  async abandon(): Promise<void> {
    this.#stopped = true
    this.#stopping.abort()
    for (const cancel of this.#timers.splice(0)) cancel()
    this.waiters.wakeAll()
    await this.#store?.abandon()
  }

  async #open(): Promise<void> {
    const { disk, clock, random, log, logOptions, limits } = this.using
    const machine = new BrokerState(limits.dedupeKeysMax)
    const store = await Store.open({
      disk,
      clock,
      random,
      log,
      options: logOptions,
      machine,
      onFailure: (error) => this.#fail(error),
      onPublish: (id) => this.waiters.wake(id),
    })
    this.#machine = machine
    this.desk = new WorkDesk(this)
    this.#store = store
    this.#failure = undefined
  }

  #fail(error: unknown): void {
    this.using.log.error({ cause: describeError(error) }, 'the disk failed; opening anew')
    this.#failure = error
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined
    })
  }

  async #reopen(): Promise<void> {
    const { clock, log } = this.using
    await this.#store?.abandon()
    await openAnew({
      ...{ clock, log, signal: this.#stopping.signal },
      stillFails: 'the disk still fails',
      open: async () => {
        await this.#open()
        this.waiters.wakeAll()
      },
    })
  }

  /** The store, when it takes calls. Throws DISK_FAILED and BROKER_STOPPED. */
  get store(): Store {
    if (this.#stopped) throw fault('BROKER_STOPPED', `broker ${this.name} is stopping`)
    if (this.#failure !== undefined) throw this.#failure
    if (!this.#store) throw fault('BROKER_STOPPED', `broker ${this.name} is not open yet`)
    return this.#store
  }

  /** Returns a partition that this broker owns. Throws NOT_OWNER, also for an epoch that is over. */
  partition(id: number, epoch?: number): Partition {
    const { store } = this
    const state = this.#machine.partitions.get(id)
    const log = store.partitions.get(id)
    if (!state || !log || state.role !== 'owner')
      throw fault('NOT_OWNER', `broker ${this.name} does not own partition ${id}`)
    if (epoch !== undefined && epoch !== state.spec.epoch)
      throw fault('NOT_OWNER', `partition ${id} has epoch ${state.spec.epoch}, not ${epoch}`)
    return { state, log }
  }

  /** Every partition that is here, owned or not. */
  get all(): ReadonlyMap<number, PartitionState> {
    return this.#machine.partitions
  }

  /** Stores an event; resolves when it is durable. It counts at once. */
  event(event: PartitionEvent): Promise<void> {
    return this.store.event(event)
  }

  /** Takes on a new partition, or new options for one that is here. */
  async own(spec: PartitionSpec): Promise<void> {
    if (!this.store.partitions.has(spec.id)) await this.#openLog(spec, 0)
    this.desk.forgetLimits(spec.id)
    await this.event({ type: 'own', id: spec.id, spec })
  }

  async #openLog(spec: PartitionSpec, start: number): Promise<void> {
    await this.store.event({ type: 'log.open', id: spec.id, ...{ start } })
  }

  /** Begins a copy of a partition that another broker owns; an older copy is thrown away. */
  async copy(spec: PartitionSpec, start: number): Promise<void> {
    if (this.store.partitions.has(spec.id)) await this.drop(spec.id)
    await this.#openLog(spec, start)
    await this.event({ type: 'copy', id: spec.id, spec })
  }

  /** Stores whole batches of the owner in the copy, offsets as they are. */
  async append(id: number, bytes: Buffer): Promise<number> {
    const { store } = this
    if (this.#machine.partitions.get(id)?.role !== 'copying')
      throw fault('NOT_OWNER', `partition ${id} is not being copied here`)
    const writes: Promise<void>[] = []
    for (let at = 0; at < bytes.length; at += batchBytesAt(bytes, at)) {
      const sound =
        hasBatch(bytes, at) &&
        kindAt(bytes, at) === batchKinds.records &&
        partitionAt(bytes, at) === id
      if (!sound) throw fault('BATCH_INVALID', `no batch of partition ${id} at byte ${at}`)
      writes.push(store.appendStamped(id, bytes.subarray(at, at + batchBytesAt(bytes, at))))
    }
    await Promise.all(writes)
    return store.partitions.get(id)?.end ?? 0
  }

  /** Makes the copy the partition itself, with the state that its owner had at the end. */
  async adopt(spec: PartitionSpec, state: unknown): Promise<void> {
    const known = this.#machine.partitions.get(spec.id)
    if (known?.role === 'owner' && known.spec.epoch === spec.epoch) return
    if (known?.role !== 'copying')
      throw fault('NOT_OWNER', `partition ${spec.id} is not being copied here`)
    try {
      PartitionState.restore(state as KeptPartitionState)
    } catch (cause) {
      throw fault('OPTION_INVALID', 'the state of a partition cannot be read', { cause })
    }
    await this.event({ type: 'adopt', id: spec.id, spec, state })
  }

  /** Stops writes for good and returns what the next owner needs, once all of it is durable. */
  async fence(id: number, epoch: number): Promise<{ state: KeptPartitionState; end: number }> {
    const state = this.#machine.partitions.get(id)
    if (!state || state.role === 'copying')
      throw fault('NOT_OWNER', `broker ${this.name} does not own partition ${id}`)
    await this.event({ type: 'fence', id, epoch })
    this.waiters.wake(id)
    return { state: state.keep(), end: this.store.partitions.get(id)?.end ?? 0 }
  }

  /** Goes on as the owner of a partition that was fenced, or might have been. */
  async resume(id: number, epoch: number): Promise<void> {
    const role = this.#machine.partitions.get(id)?.role
    if (role !== 'owner' && role !== 'fenced')
      throw fault('NOT_OWNER', `broker ${this.name} never owned partition ${id}`)
    await this.event({ type: 'resume', id, epoch })
  }

  async drop(id: number): Promise<void> {
    if (!this.store.partitions.has(id)) return
    await this.store.event({ type: 'log.drop', id })
    this.waiters.wake(id)
  }

  /** Removes every record; returns how many. */
  async purge(id: number): Promise<number> {
    const { log } = this.partition(id)
    const offset = log.end
    const count = offset - log.start
    const writes = [
      this.store.event({ type: 'log.start', id, ...{ offset } }),
      this.event({ type: 'purge', id, offset }),
    ]
    await Promise.all(writes)
    return count
  }

  /** What this broker has and how it is, for metrics. */
  status() {
    const { store } = this
    return {
      name: this.name,
      bytes: store.bytes,
      partitions: [...this.#machine.partitions.values()].filter(({ role }) => role === 'owner')
        .length,
      full: this.full ?? null,
      damage: store.damage ?? null,
      memoryBytes: process.memoryUsage.rss(),
    }
  }

  /** Looks how full the disk is: over the mark nothing is produced any more, reads go on. */
  async checkUsage(): Promise<void> {
    this.#usage = { ...(await this.using.disk.usage()) }
    this.#judgeUsage()
  }

  /** Counts bytes that are about to be stored: a disk can fill up between two looks at it. */
  spend(bytes: number): void {
    // Once in the write-ahead file, once in a segment.
    this.#usage.freeBytes -= 2 * bytes
    this.#judgeUsage()
  }

  #judgeUsage(): void {
    const { limits, logOptions } = this.using
    const { freeBytes, totalBytes } = this.#usage
    const used = totalBytes > 0 ? 1 - freeBytes / totalBytes : 0
    // Summing up is for those only who set a limit.
    const own = limits.dataBytesMax > 0 ? this.store.bytes : 0
    if (used > limits.diskUsedMax)
      this.full = `the disk is ${Math.round(used * 100)} % full; the mark is ${limits.diskUsedMax * 100} %`
    else if (freeBytes < walFilesMost * logOptions.walBytes)
      this.full = `the disk has ${freeBytes} bytes left; the write-ahead files may need as many`
    else if (limits.dataBytesMax > 0 && own > limits.dataBytesMax)
      this.full = `${own} bytes are kept; the limit is ${limits.dataBytesMax}`
    else this.full = undefined
  }

  /** Removes what is over its time or size, and compacts. */
  async housekeep(): Promise<void> {
    const now = this.using.clock.now()
    await this.store.housekeep((id): Retention | undefined => {
      const options = this.#machine.partitions.get(id)?.spec.options
      return (
        options && {
          bytesMax: options.retentionBytes,
          beforeMs: options.retentionMs > 0 ? now - options.retentionMs : 0,
          compact: options.compact,
        }
      )
    })
  }

  #quietly(work: () => Promise<unknown>): void {
    if (this.#failure !== undefined || this.#stopped) return
    work().catch((error) => {
      this.using.log.warn({ cause: describeError(error) }, 'upkeep failed; it is tried again')
    })
  }
}

/** The states of all partitions here, rebuilt from the log. */
class BrokerState implements StateMachine {
  readonly partitions = new Map<number, PartitionState>()
  readonly #dedupeKeysMax: number

  constructor(dedupeKeysMax = 0) {
    this.#dedupeKeysMax = dedupeKeysMax
  }

  applyBatch(id: number, batch: Buffer): void {
    this.partitions.get(id)?.applyBatch(batch, this.#dedupeKeysMax)
  }

  applyEvent(event: StoreEvent): void {
    const { type, id = -1 } = event
    if (type === 'log.drop') this.partitions.delete(id)
    if (type.startsWith('log.')) return
    const known = event as PartitionEvent
    if ((type === 'own' || type === 'copy') && !this.partitions.has(id)) {
      const { spec } = known as Extract<PartitionEvent, { type: 'own' | 'copy' }>
      this.partitions.set(id, new PartitionState(spec, type === 'own' ? 'owner' : 'copying'))
    }
    this.partitions.get(id)?.applyEvent(known)
  }

  snapshot(): unknown {
    return [...this.partitions].map(([id, state]) => [id, state.keep()])
  }

  restore(state: unknown): void {
    for (const [id, kept] of state as [number, KeptPartitionState][])
      this.partitions.set(id, PartitionState.restore(kept))
  }
}
