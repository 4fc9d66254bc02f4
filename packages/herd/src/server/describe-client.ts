import { latin1 } from '../protocol/bytes.ts'
import type { HerdState } from '../state/herd-state.ts'
import { createRecord } from '../state/record.ts'
import type { Hit } from '../state/search.ts'

/** A client as the HTTP API tells of it. */
export interface ClientView {
  readonly client: string
  /** Degrees. */
  readonly latitude: number
  readonly longitude: number
  /** The location and the time as the client sent them. */
  readonly location: string
  readonly time: string
  /** The server that heard it, its clock minus the client's, and when, in ms since 1970. */
  readonly server: string
  readonly difference: string
  readonly heardAtMs: number
}

const record = createRecord()

/** Returns what is known of the client in a slot. Texts are bytes as sent, one character each. */
export function describeClient(state: HerdState, slot: number): ClientView {
  const { text, textStart, differenceBytes, keyBytes, valueBytes, timeBytes } = state.read(
    slot,
    record,
  )
  const key = textStart + differenceBytes + 1
  const value = key + keyBytes + 1
  const time = value + valueBytes + 1
  return {
    client: latin1(text, key, key + keyBytes),
    latitude: record.latitude,
    longitude: record.longitude,
    location: latin1(text, value, value + valueBytes),
    time: latin1(text, time, time + timeBytes),
    server: record.origin.name,
    difference: latin1(text, textStart, textStart + differenceBytes),
    heardAtMs: record.heardMs,
  }
}

/** Returns what is known of those that a search has found, and how far away they are. */
export function describeHits(
  state: HerdState,
  hits: readonly Hit[],
): (ClientView & { readonly distanceKm: number })[] {
  return hits.map(({ slot, distanceKm }) => ({ ...describeClient(state, slot), distanceKm }))
}
