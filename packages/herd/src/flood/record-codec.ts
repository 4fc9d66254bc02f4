import { readLocation } from '../protocol/location.ts'
import { type HerdRecord, locationKind, textBytesOf } from '../state/record.ts'
import type { ByteReader, ByteWriter } from './byte-writer.ts'

/*
 * A record in a message or a snapshot (docs/formats/herd-peer.md):
 *
 *   origin u16 | sequence f64 | kind u8 | hops u8 | seconds f64 | nanos u32 | heard f64
 *   | difference u8 | key u16 | value u16 | time u16 | text
 */

/** Appends a record; `originNumber` is its origin's place in the message's own list. */
export function writeRecord(writer: ByteWriter, record: HerdRecord, originNumber: number): void {
  writer
    .u16(originNumber)
    .f64(record.sequence)
    .u8(record.kind)
    .u8(record.hops)
    .f64(record.seconds)
    .u32(record.nanos)
    .f64(record.heardMs)
    .u8(record.differenceBytes)
    .u16(record.keyBytes)
    .u16(record.valueBytes)
    .u16(record.timeBytes)
    .raw(record.text, record.textStart, record.textStart + textBytesOf(record))
}

/**
 * Reads a record into `target`, all but its origin, and returns the number of that. The text is lent
 * by the message. Throws `MessageTooShort`; returns -1 when a location is none.
 */
export function readRecord(reader: ByteReader, target: HerdRecord): number {
  const originNumber = reader.u16()
  target.sequence = reader.f64()
  target.kind = reader.u8()
  target.hops = reader.u8()
  target.seconds = reader.f64()
  target.nanos = reader.u32()
  target.heardMs = reader.f64()
  target.differenceBytes = reader.u8()
  target.keyBytes = reader.u16()
  target.valueBytes = reader.u16()
  target.timeBytes = reader.u16()
  target.text = reader.bytes
  target.textStart = reader.skip(textBytesOf(target))
  return isWhole(target) ? originNumber : -1
}

function isWhole(record: HerdRecord): boolean {
  if (!Number.isFinite(record.seconds) || !Number.isFinite(record.heardMs)) return false
  if (!(record.sequence > 0) || record.keyBytes === 0 || record.kind > 254) return false
  if (record.kind !== locationKind) return true
  const start = record.textStart + record.differenceBytes + 1 + record.keyBytes + 1
  return readLocation(record.text, start, start + record.valueBytes, 'lenient', record)
}
