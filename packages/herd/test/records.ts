import type { HerdState } from '../src/state/herd-state.ts'
import type { Origin } from '../src/state/origins.ts'
import { createRecord, type HerdRecord } from '../src/state/record.ts'

/** What a test says of a record; the rest is made up. */
export interface Said {
  readonly key: string
  readonly seconds?: number
  readonly nanos?: number
  readonly latitude?: number
  readonly longitude?: number
  readonly sequence?: number
  readonly heardMs?: number
  readonly kind?: number
  readonly value?: string
}

/** Makes a record as the line protocol does. */
export function recordOf(origin: Origin, said: Said): HerdRecord {
  const { key, seconds = 1, nanos = 0, latitude = 1, longitude = 2 } = said
  const signed = (degrees: number) => `${degrees < 0 ? '-' : '+'}${Math.abs(degrees).toFixed(7)}`
  const value = said.value ?? signed(latitude) + signed(longitude)
  const time = `${seconds}.${String(nanos).padStart(9, '0')}`
  const record = createRecord(origin)
  return Object.assign(record, {
    kind: said.kind ?? 0,
    seconds,
    nanos,
    latitude,
    longitude,
    sequence: said.sequence ?? 1,
    heardMs: said.heardMs ?? 0,
    text: Buffer.from(`+0.000000000 ${key} ${value} ${time}`),
    differenceBytes: 12,
    keyBytes: Buffer.byteLength(key),
    valueBytes: Buffer.byteLength(value),
    timeBytes: time.length,
  })
}

/** The text of each record held, without the difference, in order. */
export function textsOf(state: HerdState): string[] {
  const texts: string[] = []
  for (let slot = 0; slot < state.slotsEnd; slot++) {
    if (state.originAt(slot) < 0) continue
    const { origin, text, textStart, keyBytes, valueBytes, timeBytes } = state.recordAt(slot)
    const start = textStart + 13
    const end = start + keyBytes + valueBytes + timeBytes + 2
    texts.push(`${origin.name} ${Buffer.from(text.subarray(start, end))}`)
  }
  return texts.sort()
}
