import { Buffer } from 'node:buffer'
import type { Message, QueueRecord } from '../../message.ts'

/** As much of a message of RabbitMQ as is read. */
export interface RabbitDelivery {
  readonly body: unknown
  readonly headers?: Readonly<Record<string, unknown>>
  /** Seconds since 1970, in whichever form the client gives them. */
  readonly timestamp?: number
}

/** Returns the headers of RabbitMQ that carry a message's key and headers; the user's stay apart. */
export function toRabbitHeaders(
  { key, headers }: Pick<Message, 'key' | 'headers'>,
  nowMs: number,
): Record<string, unknown> {
  return {
    'drover-time-ms': nowMs,
    ...(key === undefined ? {} : { 'drover-key': key }),
    ...(headers === undefined ? {} : { 'drover-headers': { ...headers } }),
  }
}

/** Returns the record that a delivered message is. The engine has no offsets: its own is -1. */
export function toRecord(topic: string, { body, headers = {} }: RabbitDelivery): QueueRecord {
  const time = headers['drover-time-ms']
  const key = headers['drover-key']
  return {
    topic,
    partition: 0,
    offset: -1,
    timeMs: typeof time === 'number' ? time : 0,
    value: toBytes(body),
    key: typeof key === 'string' ? key : undefined,
    headers: textsOf(headers['drover-headers']),
    priority: 0,
    dueMs: 0,
    dedupeKey: undefined,
  }
}

/** How often a delivered message was handed out, this time included. */
export function attemptOf({ headers = {} }: RabbitDelivery): number {
  const returned = headers['x-delivery-count']
  return (typeof returned === 'number' ? returned : 0) + 1
}

/** What another program sent as text or JSON comes parsed from the client. */
function toBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  return Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))
}

function textsOf(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) return {}
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
