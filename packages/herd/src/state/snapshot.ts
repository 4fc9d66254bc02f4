import { crc32 } from 'node:zlib'
import { fault } from '../errors.ts'
import { ByteReader, ByteWriter, MessageTooShort } from '../flood/byte-writer.ts'
import { readRecord, writeRecord } from '../flood/record-codec.ts'
import type { HerdState } from './herd-state.ts'
import type { Origin } from './origins.ts'
import { createRecord } from './record.ts'

const magic = Buffer.from('DRHSNAP1', 'latin1')
const tags = { end: 0, record: 1, origin: 2 } as const
/** Slots written between two pauses for other work. */
const slotsPerChunk = 2_048

/**
 * Yields the state as a snapshot (docs/formats/herd-snapshot.md). It may change meanwhile: what is
 * known of each origin is written as it was at the start, so records that come later can only make
 * the snapshot newer than it says.
 */
export async function* writeSnapshot(state: HerdState, nowMs: number): AsyncGenerator<Uint8Array> {
  const writer = new ByteWriter().raw(magic, 0, magic.length)
  const numbers = new Map<Origin, number>()
  let checksum = 0
  const take = (): Buffer => {
    const chunk = Buffer.from(writer.written)
    checksum = crc32(chunk, checksum)
    writer.reset()
    return chunk
  }
  const writeOrigin = (origin: Origin, sequence: number) => {
    numbers.set(origin, numbers.size)
    writer.u8(tags.origin).text(origin.name).f64(origin.epoch).f64(sequence)
  }

  for (const origin of state.origins.all()) writeOrigin(origin, origin.sequence)
  for (let first = 0; first < state.slotsEnd; first += slotsPerChunk) {
    const end = Math.min(first + slotsPerChunk, state.slotsEnd)
    for (let slot = first; slot < end; slot++) {
      if (!state.isLive(slot, nowMs)) continue
      const record = state.recordAt(slot)
      if (!numbers.has(record.origin)) writeOrigin(record.origin, 0)
      writeRecord(writer.u8(tags.record), record, numbers.get(record.origin) as number)
    }
    yield take()
    await new Promise((resolve) => setImmediate(resolve))
  }
  writer.u8(tags.end)
  yield take()
  yield writer.u32(checksum).written
}

/** Puts the records of a snapshot into `state`, those that live. Throws SNAPSHOT_BROKEN. */
export function readSnapshot(bytes: Uint8Array, state: HerdState, nowMs: number): void {
  const body = bytes.subarray(0, Math.max(0, bytes.length - 4))
  const isOurs = Buffer.compare(body.subarray(0, magic.length), magic) === 0
  if (!isOurs || crc32(body) !== Buffer.from(bytes.subarray(body.length)).readUInt32BE())
    throw fault('SNAPSHOT_BROKEN', `its ${bytes.length} bytes are not what was written`)
  try {
    readEntries(new ByteReader(body, magic.length), state, nowMs)
  } catch (cause) {
    if (!(cause instanceof MessageTooShort)) throw cause
    throw fault('SNAPSHOT_BROKEN', 'an entry ends too early', { cause })
  }
}

function readEntries(reader: ByteReader, state: HerdState, nowMs: number): void {
  const origins: Origin[] = []
  const record = createRecord()
  for (let tag = reader.u8(); tag !== tags.end; tag = reader.u8()) {
    if (tag === tags.origin) {
      const origin = state.origins.enter(reader.text(), reader.f64())
      origin.sequence = Math.max(origin.sequence, reader.f64())
      origins.push(origin)
      continue
    }
    const origin = origins[readRecord(reader, record)]
    if (tag !== tags.record || !origin) throw fault('SNAPSHOT_BROKEN', `an entry has tag ${tag}`)
    record.origin = origin
    state.put(record, nowMs)
  }
}
