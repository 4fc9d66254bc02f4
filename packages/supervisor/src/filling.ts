import { backoffMs } from '@drover/kernel'
import {
  discard,
  type Herd,
  type Member,
  type Place,
  spawn,
  type Turn,
  takenNames,
} from './herd.ts'

/** Starts that may fail for a taken port before they count like any other death. */
const portsLostMax = 5

/** Takes a dead replica out of its place and fills the place again. */
export function refillAfterDeath(
  herd: Herd,
  place: Place,
  dead: Member,
  reason: string,
  turn: Turn,
): void {
  vacate(place, dead)
  if (!place.occupant) refill(herd, place, dead, reason, turn)
}

/**
 * Starts the same replica again on another port, because somebody else took the first between its
 * choice and its use. Returns nothing when that happened too often to be chance.
 */
export function startElsewhere(
  herd: Herd,
  place: Place,
  dead: Member,
  turn: Turn,
): Member | undefined {
  if (place.portsLost >= portsLostMax) return undefined
  place.portsLost++
  const again = spawn(herd, place, dead.name, turn)
  if (place.occupant === dead) place.occupant = again
  else place.successor = again
  return again
}

/** Sends a replica away that does not answer (or never came up) and fills its place again. */
export function replaceFailing(
  herd: Herd,
  place: Place,
  failing: Member,
  reason: string,
  turn: Turn,
): void {
  const wasOccupant = place.occupant === failing
  vacate(place, failing)
  if (wasOccupant && !place.occupant) refill(herd, place, failing, reason, turn)
  discard(herd, failing, reason, turn)
}

/** Fills a place whose wait is over. */
export function fillAfterWait(herd: Herd, key: number, turn: Turn): void {
  const place = herd.places.find((candidate) => candidate.key === key)
  if (place && !place.occupant) fill(herd, place, turn)
}

/** Puts a new replica under a new random name into an empty place. */
export function fill(herd: Herd, place: Place, turn: Turn): Member {
  place.occupant = spawn(herd, place, herd.names.invented(takenNames(herd)), turn)
  return place.occupant
}

/** A successor that comes up takes over from a dead occupant, so that nothing more is started. */
function vacate(place: Place, gone: Member): void {
  if (place.occupant === gone) place.occupant = place.successor
  place.successor = undefined
}

/** The first replacement comes at once; of a replica that was never stable, later ones wait. */
function refill(herd: Herd, place: Place, gone: Member, reason: string, turn: Turn): void {
  const { backoff, stableAfterMs } = herd.spec
  const stable = gone.readySinceMs !== undefined && turn.nowMs - gone.readySinceMs >= stableAfterMs
  if (gone.readySinceMs !== undefined) place.portsLost = 0
  place.deaths = stable ? 1 : place.deaths + 1
  if (place.deaths === 1) {
    fill(herd, place, turn)
    return
  }
  const waitMs = backoffMs(place.deaths - 2, backoff, turn.random)
  turn.actions.push({ kind: 'wait', place: place.key, waitMs, restarts: place.deaths, reason })
}
