import { isDeepStrictEqual } from 'node:util'
import { fault } from './errors.ts'
import { fill } from './filling.ts'
import {
  dismiss,
  type Herd,
  type Member,
  type Place,
  spawn,
  type Turn,
  takenNames,
} from './herd.ts'
import { checkSpec } from './options.ts'
import { scale } from './scaling.ts'
import type { GroupSpec } from './spec.ts'

/** What a roll waits for. */
type Awaited = NonNullable<Herd['roll']>['at']

/**
 * A rolling restart: place after place gets a successor; when that is ready, the old occupant drains
 * and ends; then comes the next place. So there is never more than one replica above the wanted
 * number, and never one below. Each place is done once; one that was closed is passed over. With
 * `stop-first` the old occupant drains and ends before the new one starts.
 */
export function startRoll(herd: Herd, reason: string, turn: Turn, backTo = herd.spec): void {
  herd.revision++
  // A roll on top of a roll: one goes on to the newest revision, back to what ran before both.
  herd.roll = {
    reason,
    todo: new Set(herd.places.map((place) => place.key)),
    at: herd.roll?.at,
    backTo: herd.roll?.backTo ?? backTo,
  }
  advanceRoll(herd, turn)
}

/** Takes up a changed spec: scales when the number changed, rolls when what runs changed. */
export function applySpec(herd: Herd, spec: GroupSpec, turn: Turn): void {
  checkSpec(spec)
  if (spec.name !== herd.spec.name)
    throw fault('SPEC_INVALID', `group "${herd.spec.name}" cannot become "${spec.name}"`)
  const backTo = herd.spec
  const mustRoll =
    !isDeepStrictEqual(spec.runtime, herd.spec.runtime) ||
    !isDeepStrictEqual(spec.env, herd.spec.env)
  // What was scaled by hand or by load stays, unless the number itself was changed.
  const wanted = spec.replicas === herd.spec.replicas ? herd.places.length : spec.replicas
  const { least = 0, most = wanted } = spec.autoscale ?? {}
  herd.spec = spec
  if (mustRoll) startRoll(herd, 'the specification changed', turn, backTo)
  scale(herd, Math.min(most, Math.max(least, wanted)), 'the specification changed', turn)
}

/** Goes on with the roll, as far as nothing has to be waited for. */
export function advanceRoll(herd: Herd, turn: Turn): void {
  const roll = herd.roll
  if (!roll || roll.at) return
  for (const key of roll.todo) {
    roll.todo.delete(key)
    const place = herd.places.find((candidate) => candidate.key === key)
    roll.at = place && renew(herd, place, roll.reason, turn)
    if (roll.at) return
  }
  herd.roll = undefined
  turn.actions.push({ kind: 'roll-ended', failure: undefined })
}

/** Begins to make `place` new; returns what must be waited for, undefined if it is new. */
function renew(herd: Herd, place: Place, reason: string, turn: Turn): Awaited {
  const { occupant, key } = place
  if (!occupant) return { place: key, waitsFor: 'ready', id: fill(herd, place, turn).id }
  if (occupant.revision === herd.revision)
    return occupant.phase === 'running'
      ? undefined
      : { place: key, waitsFor: 'ready', id: occupant.id }
  if (herd.spec.restartOrder === 'stop-first') {
    place.occupant = undefined
    dismiss(herd, occupant, reason, turn)
    return { place: key, waitsFor: 'vacant', id: occupant.id }
  }
  place.successor = spawn(herd, place, herd.names.invented(takenNames(herd)), turn)
  return { place: key, waitsFor: 'ready', id: place.successor.id }
}

/** A replica became ready: the successor takes the place, and the old one is sent away. */
export function promote(herd: Herd, place: Place, ready: Member, turn: Turn): void {
  const roll = herd.roll
  const old = place.successor === ready ? place.occupant : undefined
  if (place.successor === ready) {
    place.occupant = ready
    place.successor = undefined
  }
  if (old) dismiss(herd, old, roll?.reason ?? 'replaced', turn)
  if (!roll || roll.at?.id !== ready.id) return
  roll.at = old && { place: place.key, waitsFor: 'end', id: old.id }
  advanceRoll(herd, turn)
}

/** A replica ended or was sent away: the roll may have waited for its end, or for it to be ready. */
export function rollAfterEnd(herd: Herd, member: Member, reason: string, turn: Turn): void {
  const roll = herd.roll
  if (!roll?.at || roll.at.id !== member.id) return
  const { place: key, waitsFor } = roll.at
  const place = herd.places.find((candidate) => candidate.key === key)
  roll.at = undefined
  if (place && waitsFor === 'vacant') {
    place.occupant ??= fill(herd, place, turn)
    roll.at = { place: key, waitsFor: 'ready', id: place.occupant.id }
  } else if (waitsFor === 'end' || !place) advanceRoll(herd, turn)
  else stopRoll(herd, `${member.name} did not become ready: ${reason}`, turn)
}

/** The replica that the roll waits for was started again on another port. */
export function rollElsewhere(herd: Herd, before: Member, again: Member): void {
  const at = herd.roll?.at
  if (herd.roll && at?.id === before.id) herd.roll.at = { ...at, id: again.id }
}

/** Ends the roll early; what is started from now on is what ran before it. */
export function stopRoll(herd: Herd, failure: string, turn: Turn): void {
  if (!herd.roll) return
  const { runtime, env } = herd.roll.backTo
  herd.spec = { ...herd.spec, runtime, env }
  herd.roll = undefined
  turn.actions.push({ kind: 'roll-ended', failure })
}
