import { Fault } from '@drover/kernel'
import type { Stored } from '../broker/records.ts'
import { encodeBatch } from '../log/record.ts'
import type { Message, Receipt } from '../message.ts'
import type { QueueLimits } from '../options.ts'
import { mayRepeat, type Routes } from './routes.ts'

/**
 * Batches of one partition that may be under way at once. Beyond it small calls gather; before it they
 * are at the broker when the disk is done with those before, and need not cross the network first.
 */
const underWayMax = 8

/** How messages are gathered. */
export interface Gathering {
  /** How long the first message of a batch may wait for others. 0: to the end of the event loop's turn. */
  readonly lingerMs: number
  /** A batch is sent when it has so many bytes, lingering or not. */
  readonly batchBytes: number
}

interface Entry {
  readonly messages: readonly Message[]
  readonly bytes: number
  readonly acks: 'disk' | 'memory'
  readonly resolve: (receipts: Receipt[]) => void
  readonly reject: (error: unknown) => void
}

interface Batch {
  readonly entries: readonly Entry[]
  readonly count: number
  /** The number of its first message; undefined when dedupe keys keep it from being doubled. */
  first: number | undefined
  epoch: number
}

/**
 * Sends the messages of one partition: gathers calls to batches, keeps some under way, and numbers
 * them, so that a batch that is sent again is stored once and the order stays.
 *
 *   sending ──a batch failed──▶ waiting for the others ──▶ sending again, one by one ──▶ sending
 */
export class Sender {
  readonly #routes: Routes
  readonly #topic: string
  readonly #index: number
  readonly #limits: QueueLimits
  readonly #gathering: Gathering
  readonly #producer: number
  #epoch = 0
  #next = 0
  #waiting: Entry[] = []
  #waitingBytes = 0
  #underWay = 0
  #failed: Batch[] = []
  /** `ripe`: the first of those that wait has lingered long enough. */
  #lingering: 'no' | 'yes' | 'ripe' = 'no'
  #repairing = false
  #pumpsSoon = false

  constructor(
    routes: Routes,
    place: { readonly topic: string; readonly index: number },
    limits: QueueLimits,
    gathering: Gathering,
  ) {
    this.#routes = routes
    this.#topic = place.topic
    this.#index = place.index
    this.#limits = limits
    this.#gathering = gathering
    this.#producer = routes.using.random.integer(1, 2 ** 48)
  }

  /** Resolves when the messages are stored, all or none. */
  send(messages: readonly Message[], acks: 'disk' | 'memory'): Promise<Receipt[]> {
    let bytes = 0
    for (const { value, key } of messages) bytes += value.length + (key?.length ?? 0) + 32
    return new Promise((resolve, reject) => {
      this.#waiting.push({ messages, bytes, acks, resolve, reject })
      this.#waitingBytes += bytes
      this.#pumpSoon()
    })
  }

  /** What is called in one turn of the event loop goes out together. */
  #pumpSoon(): void {
    if (this.#pumpsSoon) return
    this.#pumpsSoon = true
    process.nextTick(() => {
      this.#pumpsSoon = false
      this.#pump()
    })
  }

  #pump(): void {
    const { lingerMs, batchBytes } = this.#gathering
    while (this.#waiting.length > 0 && this.#underWay < underWayMax && !this.#isBroken()) {
      const ready = this.#waitingBytes >= batchBytes || this.#lingering === 'ripe'
      if (!ready && lingerMs > 0) {
        this.#linger(lingerMs)
        return
      }
      if (this.#lingering === 'ripe') this.#lingering = 'no'
      this.#dispatch(this.#take())
    }
  }

  #linger(lingerMs: number): void {
    if (this.#lingering !== 'no') return
    this.#lingering = 'yes'
    this.#routes.using.clock.after(lingerMs, () => {
      this.#lingering = this.#waiting.length > 0 ? 'ripe' : 'no'
      // Not while batches are being sent again: these would overtake them.
      this.#pump()
    })
  }

  #isBroken(): boolean {
    return this.#failed.length > 0 || this.#repairing
  }

  /** Takes what fits into one batch; entries are never split. */
  #take(): Batch | undefined {
    const { batchMessagesMax, batchBytesMax } = this.#limits
    const bytesMax = Math.min(batchBytesMax, Math.max(this.#gathering.batchBytes, 1))
    const first = this.#waiting[0]
    if (!first) return undefined
    const keyed = hasDedupeKeys(first)
    let [bytes, count, taken] = [0, 0, 0]
    for (const entry of this.#waiting) {
      const fits =
        bytes + entry.bytes <= bytesMax && count + entry.messages.length <= batchMessagesMax
      if (taken > 0 && (!fits || entry.acks !== first.acks || hasDedupeKeys(entry) !== keyed)) break
      bytes += entry.bytes
      count += entry.messages.length
      taken++
    }
    this.#waitingBytes -= bytes
    const entries = this.#waiting.splice(0, taken)
    return { entries, count, first: keyed ? undefined : -1, epoch: 0 }
  }

  #dispatch(batch: Batch | undefined): void {
    if (!batch) return
    this.#number(batch)
    this.#underWay++
    this.#post(batch)
      .then((stored) => resolveAll(batch, stored, this.#index))
      .catch((error) => this.#fail(batch, error))
      .finally(() => {
        this.#underWay--
        if (this.#underWay === 0 && this.#failed.length > 0) void this.#repair()
        this.#pump()
      })
  }

  #number(batch: Batch): void {
    if (batch.first === undefined) return
    batch.first = this.#next
    batch.epoch = this.#epoch
    this.#next = (this.#next + batch.count) >>> 0
  }

  async #post(batch: Batch): Promise<Stored> {
    const { first, epoch: producerEpoch } = batch
    const messages =
      batch.entries.length === 1
        ? (batch.entries[0]?.messages ?? [])
        : batch.entries.flatMap((entry) => entry.messages)
    const sequence =
      first === undefined ? {} : { producer: this.#producer, producerEpoch, sequence: first }
    const bytes = encodeBatch(messages, this.#limits, sequence)
    const { id, epoch, broker } = await this.#routes.partition(this.#topic, this.#index)
    const acks = batch.entries[0]?.acks ?? 'disk'
    const reply = await this.#routes.broker(broker, 'produce', { id, epoch, acks }, [bytes])
    return reply.result as Stored
  }

  /** Keeps what may be sent again; what may not takes the numbers behind it along. */
  #fail(batch: Batch, error: unknown): void {
    if (mayRepeat(error) || isCode(error, 'SEQUENCE_GAP')) this.#failed.push(batch)
    else {
      for (const entry of batch.entries) entry.reject(error)
      if (batch.first !== undefined) this.#failed.push({ ...batch, entries: [], count: 0 })
    }
  }

  /** Sends the failed batches again in their order, each until it is stored or given up. */
  async #repair(): Promise<void> {
    this.#repairing = true
    const failed = this.#failed
      .splice(0)
      .sort((one, other) => (one.first ?? -1) - (other.first ?? -1))
    let broken = false
    for (const batch of failed) {
      if (batch.entries.length === 0) {
        // Its numbers were never stored, so those behind it were refused: count anew.
        broken = true
        continue
      }
      if (batch.first !== undefined && (broken || batch.epoch !== this.#epoch)) {
        if (broken) this.#restart()
        this.#number(batch)
        broken = false
      }
      if (!(await this.#again(batch))) broken = true
    }
    if (broken) this.#restart()
    this.#repairing = false
    this.#pump()
  }

  /** Begins a new epoch: the next message has number 0 again. */
  #restart(): void {
    this.#epoch = (this.#epoch + 1) & 0xffff
    this.#next = 0
  }

  async #again(batch: Batch): Promise<boolean> {
    try {
      const stored = await this.#routes.repeat(async () => {
        try {
          return await this.#post(batch)
        } catch (error) {
          if (isCode(error, 'SEQUENCE_GAP')) {
            // The broker has forgotten us; nothing of this batch was stored.
            this.#restart()
            this.#number(batch)
            return this.#post(batch)
          }
          throw error
        }
      })
      resolveAll(batch, stored, this.#index)
      return true
    } catch (error) {
      for (const entry of batch.entries) entry.reject(error)
      return false
    }
  }
}

function hasDedupeKeys(entry: Entry): boolean {
  return entry.messages[0]?.dedupeKey !== undefined
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Fault && error.code === code
}

function resolveAll({ entries }: Batch, stored: Stored, partition: number): void {
  const receipts = toReceipts(
    stored,
    entries.reduce((sum, entry) => sum + entry.messages.length, 0),
    partition,
  )
  let at = 0
  for (const { messages, resolve } of entries) {
    resolve(receipts.slice(at, at + messages.length))
    at += messages.length
  }
}

/** Returns where each message of a batch stands. */
export function toReceipts(stored: Stored, count: number, partition: number): Receipt[] {
  const { offset, repeated, duplicates } = stored
  const known = new Map<number, number>()
  for (let at = 0; at < duplicates.length; at += 2)
    known.set(duplicates[at] ?? 0, duplicates[at + 1] ?? 0)
  let next = offset
  return Array.from({ length: count }, (_, index) => {
    const before = known.get(index)
    if (before !== undefined) return { partition, offset: before, duplicate: true }
    return { partition, offset: next++, duplicate: repeated }
  })
}
