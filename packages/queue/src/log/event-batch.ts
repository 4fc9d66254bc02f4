import { batchHeaderBytes, batchKinds, sealBatch } from './batch.ts'
import type { StoreEvent } from './state-machine.ts'

/** Returns an event as a batch, not stamped yet. */
export function encodeEvent(event: StoreEvent): Buffer {
  const text = JSON.stringify(event)
  const batch = Buffer.allocUnsafe(batchHeaderBytes + Buffer.byteLength(text))
  batch.write(text, batchHeaderBytes)
  sealBatch(batch, { kind: batchKinds.event, records: 1 })
  return batch
}

/** Returns the event in a batch. */
export function decodeEvent(batch: Buffer): StoreEvent {
  return JSON.parse(batch.toString('utf8', batchHeaderBytes)) as StoreEvent
}
