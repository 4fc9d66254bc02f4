import type { Position } from '../protocol/location.ts'
import { type Box, boxAround, boxHas, distanceWithin, halfwayRoundKm } from './geo.ts'
import type { HerdState } from './herd-state.ts'

/** A client that a search found. */
export interface Hit {
  readonly slot: number
  readonly distanceKm: number
}

/** The most clients that one search returns. */
export const hitsMax = 10_000

/**
 * Returns the clients within `radiusKm` of `center`, nearest first, at most `limit`. Costs as much
 * as the cells that the circle touches and the clients in them, and the sorting.
 */
export function clientsWithin(
  state: HerdState,
  center: Position,
  radiusKm: number,
  limit: number,
  nowMs: number,
): Hit[] {
  const hits: Hit[] = []
  const distanceOf = distanceWithin(center, radiusKm)
  const box = boxAround(center, radiusKm)
  const mayBeOver = state.limits.lifetimeMs > 0
  state.grid.visit(box, (slot, north, east) => {
    if (!boxHas(box, north, east)) return
    const away = distanceOf(north, east)
    if (away < 0 || (mayBeOver && !state.isLive(slot, nowMs))) return
    hits.push({ slot, distanceKm: away })
  })
  hits.sort((one, other) => one.distanceKm - other.distanceKm || one.slot - other.slot)
  if (hits.length > limit) hits.length = limit
  return hits
}

/** Returns the slots of the clients in `box`, at most `limit`, in no order. */
export function clientsInBox(state: HerdState, box: Box, limit: number, nowMs: number): number[] {
  const slots: number[] = []
  state.grid.visit(box, (slot, north, east) => {
    if (slots.length >= limit) return
    if (boxHas(box, north, east) && state.isLocation(slot, nowMs)) slots.push(slot)
  })
  return slots
}

/** Returns the `count` clients nearest to `center`, nearest first. */
export function nearestClients(
  state: HerdState,
  center: Position,
  count: number,
  nowMs: number,
): Hit[] {
  for (let radiusKm = 0.5; ; radiusKm *= 2) {
    const isAll = radiusKm >= halfwayRoundKm
    const hits = clientsWithin(state, center, Math.min(radiusKm, halfwayRoundKm), count, nowMs)
    if (isAll || hits.length >= count) return hits
  }
}
