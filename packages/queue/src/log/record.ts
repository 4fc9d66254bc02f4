import { fault } from '../errors.ts'
import type { Message, QueueRecord } from '../message.ts'
import type { QueueLimits } from '../options.ts'
import {
  baseOffsetAt,
  batchBytesAt,
  batchHeaderBytes,
  readU64,
  recordCountAt,
  sealBatch,
  setLastDelta,
  timeAt,
  writeU64,
} from './batch.ts'

/**
 * One record in the payload of a batch:
 *
 *    0  u32  bytes of the whole record     12  u16  bytes of the dedupe key, 0 for none
 *    4  u32  offset - first of the batch   14  u8   priority, 0 to 9
 *    8  u16  bytes of the key, 65535: none 15  u8   1 when a due time follows
 *   10  u16  bytes of the headers          16  [u64 due, ms since 1970] key, dedupe key, headers, value
 *
 * Headers are pairs of u16 length and text: name, value, name, value, …
 */
const recordHeaderBytes = 16
const noKey = 65_535
const textBytesMax = 65_534

/** What goes into a batch beside the messages. */
export interface BatchOrigin {
  readonly producer?: number
  readonly producerEpoch?: number
  readonly sequence?: number
}

/**
 * Returns `messages` as one batch, not yet stamped. Throws MESSAGE_INVALID and MESSAGE_TOO_LARGE
 * that name the message by its place, and BATCH_TOO_LARGE.
 */
export function encodeBatch(
  messages: readonly Message[],
  limits: QueueLimits,
  origin: BatchOrigin = {},
): Buffer {
  if (messages.length === 0 || messages.length > limits.batchMessagesMax)
    throw fault(
      'BATCH_TOO_LARGE',
      `${messages.length} messages; a batch has 1 to ${limits.batchMessagesMax}`,
    )
  const headers: (Buffer | undefined)[] = new Array(messages.length)
  let total = batchHeaderBytes
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index] as Message
    checkMessage(message, index)
    if (message.headers) headers[index] = encodeHeaders(message.headers, index)
    const size = recordSize(message, headers[index]?.length ?? 0)
    if (size > limits.messageBytesMax)
      throw fault(
        'MESSAGE_TOO_LARGE',
        `message ${index} has ${size} bytes; the limit is ${limits.messageBytesMax}`,
      )
    total += size
  }
  if (total > limits.batchBytesMax)
    throw fault('BATCH_TOO_LARGE', `${total} bytes; the limit is ${limits.batchBytesMax}`)
  const batch = Buffer.allocUnsafeSlow(total)
  let at = batchHeaderBytes
  for (let index = 0; index < messages.length; index++)
    at = writeRecord(batch, at, index, messages[index] as Message, headers[index])
  sealBatch(batch, { records: messages.length, ...origin })
  return batch
}

function checkMessage(message: Message, index: number): void {
  const { priority = 0, dueMs = 0, key, dedupeKey } = message
  if (!Number.isInteger(priority) || priority < 0 || priority > 9)
    throw fault('MESSAGE_INVALID', `message ${index}: priority is ${priority}, not 0 to 9`)
  if (!Number.isSafeInteger(dueMs) || dueMs < 0)
    throw fault('MESSAGE_INVALID', `message ${index}: dueMs is ${dueMs}, not ms since 1970`)
  if ((key !== undefined && isTooLong(key)) || (dedupeKey !== undefined && isTooLong(dedupeKey)))
    throw fault('MESSAGE_INVALID', `message ${index}: a key has more than ${textBytesMax} bytes`)
}

function isTooLong(text: string): boolean {
  return text.length * 3 > textBytesMax && Buffer.byteLength(text) > textBytesMax
}

function recordSize(message: Message, headersBytes: number): number {
  return (
    recordHeaderBytes +
    (message.dueMs ? 8 : 0) +
    (message.key === undefined ? 0 : Buffer.byteLength(message.key)) +
    (message.dedupeKey ? Buffer.byteLength(message.dedupeKey) : 0) +
    headersBytes +
    message.value.length
  )
}

function encodeHeaders(headers: Readonly<Record<string, string>>, index: number): Buffer {
  const parts: Buffer[] = []
  for (const text of Object.entries(headers).flat()) {
    const part = Buffer.allocUnsafe(2 + Buffer.byteLength(text))
    if (part.length > textBytesMax)
      throw fault('MESSAGE_INVALID', `message ${index}: a header is too long`)
    part.writeUInt16LE(part.length - 2, 0)
    part.write(text, 2)
    parts.push(part)
  }
  const all = Buffer.concat(parts)
  if (all.length > textBytesMax)
    throw fault('MESSAGE_INVALID', `message ${index}: its headers have over ${textBytesMax} bytes`)
  return all
}

function writeRecord(
  batch: Buffer,
  start: number,
  delta: number,
  message: Message,
  headers: Buffer | undefined,
): number {
  let at = start + recordHeaderBytes
  if (message.dueMs) {
    writeU64(batch, at, message.dueMs)
    at += 8
  }
  const keyBytes = message.key === undefined ? 0 : batch.write(message.key, at)
  at += keyBytes
  const dedupeBytes = message.dedupeKey ? batch.write(message.dedupeKey, at) : 0
  at += dedupeBytes
  if (headers) {
    batch.set(headers, at)
    at += headers.length
  }
  batch.set(message.value, at)
  at += message.value.length
  batch.writeUInt32LE(at - start, start)
  batch.writeUInt32LE(delta, start + 4)
  batch.writeUInt16LE(message.key === undefined ? noKey : keyBytes, start + 8)
  batch.writeUInt16LE(headers?.length ?? 0, start + 10)
  batch.writeUInt16LE(dedupeBytes, start + 12)
  batch[start + 14] = message.priority ?? 0
  batch[start + 15] = message.dueMs ? 1 : 0
  return at
}

/**
 * Says what is wrong with the records of the batch at `at`, or nothing. Batches come from outside, so
 * no length in them is believed. Costs some 20 ns for each record.
 */
export function findFlaw(batch: Buffer, at: number, messageBytesMax: number): string | undefined {
  const end = at + batchBytesAt(batch, at)
  const count = recordCountAt(batch, at)
  let place = at + batchHeaderBytes
  for (let index = 0; index < count; index++) {
    if (place + recordHeaderBytes > end) return `record ${index} is cut off`
    const size = batch.readUInt32LE(place)
    if (size > messageBytesMax) return `record ${index} has ${size} bytes`
    if (place + size > end || !hasSoundRecord(batch, place))
      return `record ${index} has lengths or flags that cannot be`
    if (batch.readUInt32LE(place + 4) !== index) return `record ${index} has another number`
    place += size
  }
  return place === end ? undefined : 'there are bytes after the last record'
}

function hasSoundRecord(batch: Buffer, place: number): boolean {
  if ((batch[place + 15] ?? 0) > 1 || (batch[place + 14] ?? 0) > 9) return false
  const headersBytes = batch.readUInt16LE(place + 10)
  const values = headersStart(batch, place) + headersBytes
  if (values > place + batch.readUInt32LE(place)) return false
  return headersBytes === 0 || hasSoundHeaders(batch, place)
}

function hasSoundHeaders(batch: Buffer, place: number): boolean {
  const end = headersStart(batch, place) + batch.readUInt16LE(place + 10)
  let at = headersStart(batch, place)
  let texts = 0
  while (at + 2 <= end) {
    at += 2 + batch.readUInt16LE(at)
    texts++
  }
  return at === end && texts % 2 === 0
}

function headersStart(batch: Buffer, place: number): number {
  const keyBytes = batch.readUInt16LE(place + 8)
  return (
    place +
    recordHeaderBytes +
    (batch[place + 15] === 1 ? 8 : 0) +
    (keyBytes === noKey ? 0 : keyBytes) +
    batch.readUInt16LE(place + 12)
  )
}

/** Calls `visit` with the place of each record of the batch at `at`, in order. */
export function eachRecord(batch: Buffer, at: number, visit: (place: number) => void): void {
  let place = at + batchHeaderBytes
  for (let left = recordCountAt(batch, at); left > 0; left--) {
    visit(place)
    place += batch.readUInt32LE(place)
  }
}

export const deltaAt = (batch: Buffer, place: number) => batch.readUInt32LE(place + 4)
export const priorityAt = (batch: Buffer, place: number) => batch[place + 14] ?? 0
export const dueAt = (batch: Buffer, place: number) =>
  batch[place + 15] === 1 ? readU64(batch, place + recordHeaderBytes) : 0

export function keyAt(batch: Buffer, place: number): string | undefined {
  const bytes = batch.readUInt16LE(place + 8)
  if (bytes === noKey) return undefined
  const from = place + recordHeaderBytes + (batch[place + 15] === 1 ? 8 : 0)
  return batch.toString('utf8', from, from + bytes)
}

export function dedupeKeyAt(batch: Buffer, place: number): string | undefined {
  const bytes = batch.readUInt16LE(place + 12)
  if (bytes === 0) return undefined
  const to = headersStart(batch, place)
  return batch.toString('utf8', to - bytes, to)
}

/** The bytes of the value itself, not a copy. */
export function valueAt(batch: Buffer, place: number): Buffer {
  const from = headersStart(batch, place) + batch.readUInt16LE(place + 10)
  return batch.subarray(from, place + batch.readUInt32LE(place))
}

function headersAt(batch: Buffer, place: number): Record<string, string> {
  const headers: Record<string, string> = {}
  let at = headersStart(batch, place)
  const end = at + batch.readUInt16LE(place + 10)
  const next = () => {
    const text = batch.toString('utf8', at + 2, at + 2 + batch.readUInt16LE(at))
    at += 2 + batch.readUInt16LE(at)
    return text
  }
  while (at < end) headers[next()] = next()
  return headers
}

const noHeaders: Readonly<Record<string, string>> = Object.freeze({})

/** Adds the records of the batch at `at` from offset `from` on to `into`, values not copied. */
export function decodeBatch(
  batch: Buffer,
  at: number,
  topic: string,
  partition: number,
  from: number,
  into: QueueRecord[],
): void {
  const base = baseOffsetAt(batch, at)
  const timeMs = timeAt(batch, at)
  eachRecord(batch, at, (place) => {
    const offset = base + deltaAt(batch, place)
    if (offset < from) return
    into.push({
      topic,
      partition,
      offset,
      timeMs,
      value: valueAt(batch, place),
      key: keyAt(batch, place),
      headers: batch.readUInt16LE(place + 10) === 0 ? noHeaders : headersAt(batch, place),
      priority: priorityAt(batch, place),
      dueMs: dueAt(batch, place),
      dedupeKey: dedupeKeyAt(batch, place),
    })
  })
}

/** Returns a batch with only the records that `keeps` holds for; undefined when there are none. */
export function filterBatch(batch: Buffer, keeps: (place: number) => boolean): Buffer | undefined {
  const parts: Buffer[] = [Buffer.from(batch.subarray(0, batchHeaderBytes))]
  let records = 0
  eachRecord(batch, 0, (place) => {
    if (!keeps(place)) return
    parts.push(batch.subarray(place, place + batch.readUInt32LE(place)))
    records++
  })
  if (records === 0) return undefined
  return records === recordCountAt(batch) ? batch : reseal(Buffer.concat(parts), batch, records)
}

/** Gives the shortened batch the header of the old one, offsets and producer included. */
function reseal(shorter: Buffer, old: Buffer, records: number): Buffer {
  const kept = Buffer.from(old.subarray(12, 32))
  const epoch = old.readUInt32LE(44)
  sealBatch(shorter, {
    records,
    producer: readU64(old, 48),
    sequence: old.readUInt32LE(56),
    producerEpoch: old.readUInt16LE(60),
  })
  kept.copy(shorter, 12)
  shorter.writeUInt32LE(epoch, 44)
  setLastDelta(shorter, old.readUInt32LE(36))
  return shorter
}
