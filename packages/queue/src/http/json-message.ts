import { isUtf8 } from 'node:buffer'
import { type Static, Type } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { Message, QueueRecord } from '../message.ts'

const Headers = Type.Record(Type.String({ maxLength: 200 }), Type.String())

/** A message in JSON: its value as text, or in base64 when it is not text. */
export const JsonMessage = Type.Object(
  {
    value: Type.Optional(Type.String({ description: 'the value as text' })),
    valueBase64: Type.Optional(Type.String({ description: 'the value as base64' })),
    key: Type.Optional(Type.String()),
    headers: Type.Optional(Headers),
    partition: Type.Optional(Type.Integer({ minimum: 0 })),
    priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })),
    dueMs: Type.Optional(Type.Integer({ minimum: 0, description: 'ms since 1970' })),
    delayMs: Type.Optional(Type.Integer({ minimum: 0, description: 'instead of dueMs: from now' })),
    dedupeKey: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
)
export type JsonMessage = Static<typeof JsonMessage>

/** Returns the message that `json` describes. Throws MESSAGE_INVALID. */
export function fromJson(json: JsonMessage, nowMs: number): Message {
  const { value, valueBase64, delayMs, dueMs, ...rest } = json
  if ((value === undefined) === (valueBase64 === undefined))
    throw fault('MESSAGE_INVALID', 'a message has either value or valueBase64')
  const due = delayMs === undefined ? dueMs : nowMs + delayMs
  return {
    ...(rest as Omit<Message, 'value'>),
    value: value === undefined ? decodeBase64(valueBase64 ?? '') : Buffer.from(value),
    ...(due === undefined ? {} : { dueMs: due }),
  }
}

function decodeBase64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0)
    throw fault('MESSAGE_INVALID', 'valueBase64 is not base64')
  return Buffer.from(text, 'base64')
}

/** Returns a record as JSON: `value` when it is text, `valueBase64` otherwise. */
export function toJson(record: QueueRecord) {
  const { partition, offset, timeMs, value, key, headers, priority, dueMs, dedupeKey } = record
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  return {
    ...{ partition, offset, timeMs },
    ...(isUtf8(bytes) ? { value: bytes.toString() } : { valueBase64: bytes.toString('base64') }),
    ...(key === undefined ? {} : { key }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(priority === 0 ? {} : { priority }),
    ...(dueMs === 0 ? {} : { dueMs }),
    ...(dedupeKey === undefined ? {} : { dedupeKey }),
  }
}

/** Returns the values in `u32 length, bytes, u32 length, bytes, …`, little-endian. Throws BATCH_INVALID. */
export function parseLengthPrefixed(body: Buffer): Buffer[] {
  const values: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const end = at + 4 <= body.length ? at + 4 + body.readUInt32LE(at) : Number.POSITIVE_INFINITY
    if (end > body.length) throw fault('BATCH_INVALID', `the value at byte ${at} is cut off`)
    values.push(body.subarray(at + 4, end))
    at = end
  }
  return values
}

/** The same the other way: each record's offset as u64, then its value with its length. */
export function formatLengthPrefixed(records: readonly QueueRecord[]): Buffer {
  const parts = records.flatMap(({ offset, value }) => {
    const head = Buffer.alloc(12)
    head.writeBigUInt64LE(BigInt(offset), 0)
    head.writeUInt32LE(value.length, 8)
    return [head, value]
  })
  return Buffer.concat(parts)
}

/** Returns the JSON of each line. Throws BATCH_INVALID that names the line. */
export function parseLines(text: string): unknown[] {
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line) as unknown]
    } catch (cause) {
      throw fault('BATCH_INVALID', `line ${index + 1} is not JSON`, { cause })
    }
  })
}
