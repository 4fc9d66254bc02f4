import type { MsgHdrs } from '@nats-io/transport-node'
import { headers as createHeaders } from '@nats-io/transport-node'
import type { Message, QueueRecord } from '../../message.ts'

/** Everything of a message but its value, as JSON: header names of NATS take less than ours do. */
const metaHeader = 'Drover-Meta'

interface Meta {
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly dedupeKey?: string
}

/** Returns the NATS headers that carry a message's key and headers. */
export function toNatsHeaders({ key, headers, dedupeKey }: Omit<Message, 'value'>): MsgHdrs {
  const found = createHeaders()
  const meta: Meta = {
    ...(key === undefined ? {} : { key }),
    ...(headers === undefined ? {} : { headers }),
    ...(dedupeKey === undefined ? {} : { dedupeKey }),
  }
  found.set(metaHeader, asciiJson(meta))
  return found
}

/** Where and when a message was stored. */
export interface StoredAt {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timeMs: number
}

/** Returns the record that a stored NATS message is. One without our header has no key and headers. */
export function toRecord(
  at: StoredAt,
  value: Uint8Array,
  headers: { get(name: string): string } | undefined,
): QueueRecord {
  const { key, headers: own, dedupeKey } = parseMeta(headers?.get(metaHeader) ?? '')
  return { ...at, value, key, headers: own ?? {}, priority: 0, dueMs: 0, dedupeKey }
}

function parseMeta(text: string): Meta {
  if (!text.startsWith('{')) return {}
  try {
    return JSON.parse(text) as Meta
  } catch {
    // Another program's header: the value is still a message.
    return {}
  }
}

/** JSON of printable ASCII alone, which a header of NATS can carry. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[^\x20-\x7e]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** What the reply subject of a delivered message tells. */
export interface DeliveryInfo {
  /** 1 the first time. */
  readonly attempt: number
  readonly sequence: number
  readonly timeMs: number
}

/**
 * Reads `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<sequence>.<delivery
 * sequence>.<ns since 1970>.<pending>[.<random>]`; undefined for another subject.
 */
export function parseDelivery(reply: string): DeliveryInfo | undefined {
  if (!reply.startsWith('$JS.ACK.')) return undefined
  const tokens = reply.split('.')
  const [attempt, sequence, , nanos] = tokens.slice(tokens.length === 9 ? 4 : 6)
  return {
    attempt: Number(attempt),
    sequence: Number(sequence),
    timeMs: Math.floor(Number(nanos) / 1e6),
  }
}
