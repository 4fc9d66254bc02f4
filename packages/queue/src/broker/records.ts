import { fault } from '../errors.ts'
import {
  baseOffsetAt,
  batchBytesAt,
  batchKinds,
  hasBatch,
  kindAt,
  nextOffsetAt,
  producerAt,
  recordCountAt,
} from '../log/batch.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import {
  decodeBatch,
  dedupeKeyAt,
  eachRecord,
  encodeBatch,
  filterBatch,
  findFlaw,
} from '../log/record.ts'
import type { QueueRecord } from '../message.ts'
import { timeDefaults } from '../options.ts'
import type { Broker, Partition } from './broker.ts'
import type { ReadCache } from './read-cache.ts'

/** Where the records of a batch were stored: `offset`, `offset + 1`, … but for those named. */
export interface Stored {
  readonly offset: number
  /** The whole batch was there already. */
  readonly repeated: boolean
  /** Records that were there already by their dedupe key: place in the batch, offset, in turns. */
  readonly duplicates: readonly number[]
}

export interface ProduceCall {
  readonly id: number
  readonly epoch?: number
  readonly acks?: 'disk' | 'memory'
}

/** Stores one batch as it came; resolves when it is durable. The batch is changed in place. */
export async function produce(broker: Broker, call: ProduceCall, batch: Buffer): Promise<Stored> {
  const partition = broker.partition(call.id, call.epoch)
  if (broker.full !== undefined) throw fault('DISK_FULL', broker.full)
  checkBatch(broker, batch)
  const before = partition.state.producers.check(batch)
  if (before !== undefined) {
    // The first copy may still be on its way to the disk.
    await broker.store.whenDurable()
    return { offset: before, repeated: true, duplicates: [] }
  }
  const { duplicates, rest } = withoutDuplicates(broker, partition, batch)
  if (!rest) {
    await broker.store.whenDurable()
    return { offset: partition.log.end, repeated: false, duplicates }
  }
  const offset = partition.log.end
  broker.spend(rest.length)
  const durable = broker.store.append(call.id, rest, partition.state.spec.epoch)
  if (call.acks === 'memory') durable.catch(() => {})
  else await durable
  return { offset, repeated: false, duplicates }
}

/** Throws BATCH_INVALID and BATCH_TOO_LARGE: nothing that comes from outside is believed. */
function checkBatch(broker: Broker, batch: Buffer): void {
  const { limits } = broker.using
  if (batch.length > limits.batchBytesMax)
    throw fault('BATCH_TOO_LARGE', `${batch.length} bytes; the limit is ${limits.batchBytesMax}`)
  if (!hasBatch(batch, 0) || batchBytesAt(batch) !== batch.length)
    throw fault('BATCH_INVALID', 'the checksum or the length of the batch is wrong')
  const count = recordCountAt(batch)
  if (kindAt(batch) !== batchKinds.records || count === 0 || batch.readUInt32LE(36) !== count - 1)
    throw fault('BATCH_INVALID', 'the header of the batch does not fit its records')
  if (count > limits.batchMessagesMax)
    throw fault('BATCH_TOO_LARGE', `${count} messages; the limit is ${limits.batchMessagesMax}`)
  const flaw = findFlaw(batch, 0, limits.messageBytesMax)
  if (flaw !== undefined) throw fault('BATCH_INVALID', flaw)
}

/** Leaves out records whose dedupe key is known, and looks after the limit on special ones. */
function withoutDuplicates(broker: Broker, partition: Partition, batch: Buffer) {
  let keyed = 0
  let specials = 0
  eachRecord(batch, 0, (place) => {
    if (batch.readUInt16LE(place + 12) > 0) keyed++
    if (batch.readUInt16LE(place + 14) > 0) specials++
  })
  const { limits, clock } = broker.using
  if (specials > 0 && partition.state.specials.size + specials > limits.scheduledMax)
    throw fault(
      'SCHEDULED_TOO_MANY',
      `${partition.state.specials.size} messages wait with a priority or a due time`,
    )
  if (keyed === 0) return { duplicates: [], rest: batch }
  if (producerAt(batch) !== 0)
    throw fault('BATCH_INVALID', 'a batch has a producer sequence or dedupe keys, not both')
  return splitDuplicates(partition, batch, clock.now(), limits)
}

function splitDuplicates(
  { state, log }: Partition,
  batch: Buffer,
  nowMs: number,
  limits: Broker['using']['limits'],
) {
  const records: QueueRecord[] = []
  decodeBatch(batch, 0, '', 0, 0, records)
  const duplicates: number[] = []
  const kept: QueueRecord[] = []
  const own = new Map<string, number>()
  let index = 0
  eachRecord(batch, 0, (place) => {
    const key = dedupeKeyAt(batch, place)
    const known = key === undefined ? undefined : (own.get(key) ?? state.dedupe.find(key, nowMs))
    if (known !== undefined) duplicates.push(index, known)
    else {
      if (key !== undefined) own.set(key, log.end + kept.length)
      kept.push(records[index] as QueueRecord)
    }
    index++
  })
  if (duplicates.length === 0) return { duplicates, rest: batch }
  return {
    duplicates,
    rest: kept.length === 0 ? undefined : encodeBatch(kept.map(toMessage), limits),
  }
}

function toMessage({ value, key, headers, priority, dueMs, dedupeKey }: QueueRecord) {
  return {
    value,
    headers,
    priority,
    dueMs,
    ...(key === undefined ? {} : { key }),
    ...(dedupeKey === undefined ? {} : { dedupeKey }),
  }
}

export interface FetchCall {
  readonly id: number
  readonly from: { readonly offset: number } | { readonly timeMs: number } | 'earliest' | 'latest'
  readonly bytesMax?: number
  readonly waitMs?: number
}

/** What was fetched: whole batches, of which the first may begin before `from`. */
export interface FetchedBatches {
  readonly parts: readonly Buffer[]
  readonly from: number
  readonly next: number
  readonly end: number
}

/** Reads durable batches; waits up to `waitMs` for the first when there is none. */
export async function fetch(
  broker: Broker,
  call: FetchCall,
  signal?: AbortSignal,
): Promise<FetchedBatches> {
  const { clock } = broker.using
  const bytesMax = Math.min(Math.max(call.bytesMax ?? 1_048_576, 1), 16_777_216)
  const endsAt = clock.monotonic() + Math.min(call.waitMs ?? 0, timeDefaults.waitMsMax)
  const from = await positionOf(broker.partition(call.id).log, call.from)
  for (;;) {
    const { log } = broker.partition(call.id)
    const parts = await log.read(from, bytesMax)
    const leftMs = endsAt - clock.monotonic()
    if (parts.length > 0 || leftMs <= 0)
      return { parts, from, next: nextOf(parts, from), end: log.durable }
    await broker.waiters.wait([call.id], leftMs, signal)
  }
}

async function positionOf(log: PartitionLog, from: FetchCall['from']): Promise<number> {
  if (from === 'earliest') return log.start
  if (from === 'latest') return log.durable
  if ('timeMs' in from) return log.offsetAt(from.timeMs)
  if (!Number.isSafeInteger(from.offset) || from.offset < 0 || from.offset > log.durable)
    throw fault('OFFSET_OUT_OF_RANGE', `offset ${from.offset}; the end is ${log.durable}`)
  return Math.max(log.start, from.offset)
}

function nextOf(parts: readonly Buffer[], from: number): number {
  const last = parts.at(-1)
  let next = from
  if (last)
    for (let at = 0; at < last.length; at += batchBytesAt(last, at)) next = nextOffsetAt(last, at)
  return next
}

/** One record and the batch that it stands in. */
export interface Found {
  readonly batch: Buffer
  readonly place: number
}

/** Reads the records at `offsets`; those that compaction or retention removed are missing. */
export async function findRecords(
  log: PartitionLog,
  offsets: readonly number[],
  cache: ReadCache,
): Promise<Map<number, Found>> {
  const wanted = [...offsets].sort((one, other) => one - other)
  const found = new Map<number, Found>()
  let at = 0
  while (at < wanted.length) {
    const first = wanted[at] ?? 0
    const parts = await cache.read(log, first)
    const next = nextOf(parts, first)
    for (const part of parts) at = collectAll(part, wanted, at, found)
    // Nothing is left of those before `next` that were not met.
    while (at < wanted.length && (wanted[at] ?? 0) < next) at++
    if (next === first) break
  }
  return found
}

function collectAll(
  part: Buffer,
  wanted: readonly number[],
  from: number,
  found: Map<number, Found>,
): number {
  let at = from
  for (let place = 0; place < part.length; place += batchBytesAt(part, place))
    if ((wanted[at] ?? Number.POSITIVE_INFINITY) < nextOffsetAt(part, place))
      at = collect(part.subarray(place, place + batchBytesAt(part, place)), wanted, at, found)
  return at
}

/** Notes the wanted records of one batch; returns the place of the first wanted one behind it. */
function collect(
  batch: Buffer,
  wanted: readonly number[],
  from: number,
  found: Map<number, Found>,
): number {
  let at = from
  const base = baseOffsetAt(batch)
  eachRecord(batch, 0, (place) => {
    const offset = base + batch.readUInt32LE(place + 4)
    while (at < wanted.length && (wanted[at] ?? 0) < offset) at++
    if (wanted[at] === offset) {
      found.set(offset, { batch, place })
      at++
    }
  })
  return at
}

/** The records as batches of their own, each with its offset. */
export function partsOf(found: ReadonlyMap<number, Found>): Buffer[] {
  const places = new Map<Buffer, Set<number>>()
  for (const { batch, place } of found.values())
    places.set(batch, (places.get(batch) ?? new Set()).add(place))
  return [...places]
    .map(([batch, wanted]) => filterBatch(batch, (place) => wanted.has(place)))
    .filter((batch) => batch !== undefined)
    .sort((one, other) => baseOffsetAt(one) - baseOffsetAt(other))
}
