import { fault } from '../errors.ts'
import type { HerdNode } from '../flood/node.ts'
import type { Ticket } from '../flood/ticket.ts'
import { latin1 } from '../protocol/bytes.ts'
import { createRecord, type HerdRecord } from '../state/record.ts'
import type { WallClock } from '../wall-clock.ts'

/** Kinds that are free for use; 0 are locations. */
export const kindMin = 1
export const kindMax = 254
/** Bytes of a key. */
const keyBytesMax = 1_024
/** Bytes of a value. */
export const valueBytesMax = 65_000

/** A record of the general map, without its value. */
export interface RecordView {
  readonly key: string
  /** The server that it was written at, its time there in POSIX seconds, and in ms since 1970. */
  readonly server: string
  readonly time: string
  readonly heardAtMs: number
  readonly valueBytes: number
}

/** Slots that one listing looks at. */
const slotsPerListing = 65_536
/** The map's records have no client's clock to differ from. */
const difference = '+0.000000000'

/**
 * The herd's state as a map of any kind of records: keys are UTF-8, values bytes, flooded and
 * brought in step as locations are; the last write wins. A removed record stays as one without a
 * value until its lifetime is over, so that no late neighbour brings it back.
 */
export class RecordMap {
  readonly #node: HerdNode
  readonly #clock: WallClock
  readonly #record: HerdRecord = createRecord()

  constructor(node: HerdNode, clock: WallClock) {
    this.#node = node
    this.#clock = clock
  }

  /** Returns the value, copied, and what is known of it; undefined when there is none. */
  get(kind: number, key: string): (RecordView & { readonly value: Buffer }) | undefined {
    const slot = this.#find(kind, Buffer.from(key))
    if (slot < 0) return undefined
    const record = this.#read(slot)
    if (!record) return undefined
    const { text, textStart, differenceBytes, keyBytes, valueBytes } = record
    const start = textStart + differenceBytes + 1 + keyBytes + 1
    return { ...viewOf(record), value: Buffer.from(text.subarray(start, start + valueBytes)) }
  }

  /**
   * Writes a value and floods it; resolves when the live neighbours have it, or after the deadline
   * of answers. Throws HERD_QUERY_INVALID, HERD_FULL.
   */
  async put(kind: number, key: string, value: Uint8Array): Promise<RecordView> {
    if (value.length === 0 || value.length > valueBytesMax)
      throw fault(
        'HERD_QUERY_INVALID',
        `a value has 1 to ${valueBytesMax} bytes, not ${value.length}`,
      )
    return this.#write(kind, key, value)
  }

  /** Removes a record everywhere; false when there was none. */
  async remove(kind: number, key: string): Promise<boolean> {
    if (!this.get(kind, key)) return false
    await this.#write(kind, key, new Uint8Array(0))
    return true
  }

  /** Lists records of a kind from a place on; `next` is where to go on, undefined at the end. */
  list(kind: number, limit: number, from = 0): { records: RecordView[]; next: number | undefined } {
    const { state } = this.#node
    const records: RecordView[] = []
    const end = Math.min(from + slotsPerListing, state.slotsEnd)
    let slot = from
    for (; slot < end && records.length < limit; slot++) {
      if (state.kindAt(slot) !== kind) continue
      const record = this.#read(slot)
      if (record) records.push(viewOf(record))
    }
    return { records, next: slot < state.slotsEnd ? slot : undefined }
  }

  async #write(kind: number, key: string, value: Uint8Array): Promise<RecordView> {
    const record = this.#fill(kind, Buffer.from(key), value)
    if (this.#node.publish(record) < 0)
      throw fault('HERD_FULL', `there is no room for one more record, or its lifetime is over`)
    const view = viewOf(record)
    await isDone(this.#node.ticket())
    return view
  }

  #fill(kind: number, key: Buffer, value: Uint8Array): HerdRecord {
    if (!(kind >= kindMin && kind <= kindMax))
      throw fault('HERD_QUERY_INVALID', `a kind is ${kindMin} to ${kindMax}, not ${kind}`)
    if (key.length === 0 || key.length > keyBytesMax)
      throw fault('HERD_QUERY_INVALID', `a key has 1 to ${keyBytesMax} bytes, not ${key.length}`)
    const record = this.#record
    this.#stamp(record, this.#node.state.find(kind, key, 0, key.length))
    const time = `${record.seconds}.${String(record.nanos).padStart(9, '0')}`
    record.kind = kind
    record.text = Buffer.concat([
      Buffer.from(`${difference} `),
      key,
      Buffer.from(' '),
      value,
      Buffer.from(` ${time}`),
    ])
    record.textStart = 0
    record.differenceBytes = difference.length
    record.keyBytes = key.length
    record.valueBytes = value.length
    record.timeBytes = time.length
    return record
  }

  /** Now; or just after what is known, when that was written by a clock ahead of this one. */
  #stamp(record: HerdRecord, known: number): void {
    this.#clock.read(record)
    record.heardMs = record.seconds * 1_000 + Math.floor(record.nanos / 1_000_000)
    const { state } = this.#node
    if (known < 0 || state.compareTime(record.seconds, record.nanos, known) > 0) return
    const { seconds, nanos } = state.recordAt(known)
    record.seconds = nanos === 999_999_999 ? seconds + 1 : seconds
    record.nanos = nanos === 999_999_999 ? 0 : nanos + 1
  }

  #find(kind: number, key: Buffer): number {
    return this.#node.state.find(kind, key, 0, key.length)
  }

  /** The record of a slot, unless it is removed or its lifetime is over. */
  #read(slot: number): HerdRecord | undefined {
    const { state, clock } = this.#node
    const record = state.read(slot, createRecord())
    return record.valueBytes > 0 && state.isLive(slot, clock.now()) ? record : undefined
  }
}

function viewOf({ text, textStart, ...record }: HerdRecord): RecordView {
  const key = textStart + record.differenceBytes + 1
  const time = key + record.keyBytes + 1 + record.valueBytes + 1
  return {
    key: Buffer.from(text.subarray(key, key + record.keyBytes)).toString('utf8'),
    server: record.origin.name,
    time: latin1(text, time, time + record.timeBytes),
    heardAtMs: record.heardMs,
    valueBytes: record.valueBytes,
  }
}

function isDone(ticket: Ticket | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (ticket) ticket.whenDone(resolve)
    else resolve()
  })
}
