import { createManualClock, seededRandom, silentLog } from '@drover/kernel'
import { nextOffsetAt } from '../../src/log/batch.ts'
import type { Disk } from '../../src/log/disk.ts'
import type { MemoryDisk } from '../../src/log/memory-disk.ts'
import { decodeBatch, encodeBatch } from '../../src/log/record.ts'
import type { StoreEvent } from '../../src/log/state-machine.ts'
import { Store } from '../../src/log/store.ts'
import { isUnused, readWal } from '../../src/log/wal-file.ts'
import type { QueueRecord } from '../../src/message.ts'
import { limitDefaults, logDefaults } from '../../src/options.ts'

/** Small files, so that a short test passes through rolls, segments and snapshots. */
export const smallLog = {
  ...logDefaults,
  walBytes: 2_000,
  segmentBytes: 1_500,
  indexEveryBytes: 200,
}

/** A state that is nothing but the numbers of the events it saw, and how far each partition is. */
export class CountingMachine {
  events: number[] = []
  ends: Record<number, number> = {}
  applyBatch(partition: number, batch: Buffer): void {
    this.ends[partition] = (this.ends[partition] ?? 0) + batch.readUInt32LE(32)
  }
  applyEvent(event: StoreEvent): void {
    if (event.type === 'count') this.events.push((event as StoreEvent & { n: number }).n)
  }
  snapshot() {
    return { events: this.events, ends: this.ends }
  }
  restore(state: unknown): void {
    Object.assign(this, structuredClone(state))
  }
}

export async function openStore(disk: Disk, options = smallLog, seed = 1) {
  const machine = new CountingMachine()
  const failures: unknown[] = []
  const store = await Store.open({
    disk,
    clock: createManualClock(1_000),
    random: seededRandom(seed),
    log: silentLog,
    options,
    machine,
    onFailure: (error) => failures.push(error),
  })
  return { store, machine, failures }
}

/** One message as a batch. */
export function batchOf(...values: string[]): Buffer {
  return encodeBatch(
    values.map((value) => ({ value: Buffer.from(value) })),
    limitDefaults,
  )
}

/** The values of all durable records, by offset; -1 marks the place of damage. */
export async function valuesIn(store: Store, partition: number): Promise<Map<number, string>> {
  const values = new Map<number, string>()
  const log = store.partitions.get(partition)
  if (!log) return values
  let offset = log.start
  while (offset < log.durable) {
    const parts = await log.read(offset, 500)
    if (parts.length === 0) break
    for (const part of parts)
      for (let at = 0; at < part.length; at += part.readUInt32LE(at + 8)) {
        const records: QueueRecord[] = []
        decodeBatch(part, at, 't', 0, offset, records)
        for (const record of records) values.set(record.offset, record.value.toString())
        offset = nextOffsetAt(part, at)
      }
  }
  return values
}

/** The write-ahead file that was being written, and how many of its bytes count. */
export async function openWal(disk: MemoryDisk): Promise<{ path: string; bytes: number }> {
  const nothing = () => {}
  for (const path of disk.paths().filter((one) => one.startsWith('wal-'))) {
    const end = await readWal(disk, path, nothing, nothing)
    if (end.kind === 'open' && !isUnused(end)) return { path, bytes: end.position }
  }
  throw new Error('no write-ahead file was begun')
}
