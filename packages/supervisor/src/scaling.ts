import { fault } from './errors.ts'
import {
  dismiss,
  type Herd,
  members,
  openPlace,
  type Place,
  type Turn,
  takenNames,
} from './herd.ts'
import { checkNewNames, checkOldNames } from './names.ts'
import { isCount, replicasMax } from './options.ts'

/** Fills or empties places until there are `count`. Those that serve nothing yet go first, then the newest. */
export function scale(herd: Herd, count: number, reason: string, turn: Turn): void {
  if (!isCount(count, 0, replicasMax))
    throw fault('SCALE_INVALID', `${count} is not a number of replicas from 0 to ${replicasMax}`)
  const before = herd.places.length
  while (herd.places.length < count) openPlace(herd, herd.names.numbered(takenNames(herd)), turn)
  const surplus = herd.places.toSorted(byUsefulness).slice(count)
  closePlaces(herd, surplus, reason, turn)
  if (before !== count) turn.actions.push({ kind: 'tell-scaled', reason })
}

/** Adds `count` places; the first replicas have the given names. */
export function add(herd: Herd, count: number, names: readonly string[], turn: Turn): void {
  const room = replicasMax - herd.places.length
  if (!isCount(count, 1, room))
    throw fault('SCALE_INVALID', `${shown(count)} is not a number of replicas from 1 to ${room}`)
  checkNewNames(count, names, takenNames(herd))
  for (const name of names) openPlace(herd, name, turn)
  // A set of its own, because a number must not meet a name given just now.
  for (let left = count - names.length; left > 0; left--)
    openPlace(herd, herd.names.numbered(takenNames(herd)), turn)
  turn.actions.push({ kind: 'tell-scaled', reason: `${count} added by hand` })
}

/** Closes `count` places: those of the named replicas, then others at random. */
export function remove(herd: Herd, count: number, names: readonly string[], turn: Turn): void {
  if (!isCount(count, 1, Number.MAX_SAFE_INTEGER))
    throw fault('SCALE_INVALID', `${shown(count)} is not a number of replicas from 1 up`)
  const byName = new Map<string, Place>()
  for (const place of herd.places)
    for (const member of [place.occupant, place.successor])
      if (member) byName.set(member.name, place)
  checkOldNames(count, names, new Set(byName.keys()))
  if (count > herd.places.length)
    throw fault('REPLICAS_TOO_FEW', `${count} are to be removed, but ${herd.places.length} run`)

  const chosen = new Set(names.flatMap((name) => byName.get(name) ?? []))
  while (chosen.size < count) {
    const place = turn.random.pick(herd.places.filter((candidate) => !chosen.has(candidate)))
    if (place) chosen.add(place)
  }
  const reason = `${count} removed by hand`
  closePlaces(herd, [...chosen], reason, turn)
  turn.actions.push({ kind: 'tell-scaled', reason })
}

/** Sends away all that is in `places` and forgets them. */
function closePlaces(herd: Herd, places: readonly Place[], reason: string, turn: Turn): void {
  const closing = new Set(places)
  herd.places = herd.places.filter((place) => !closing.has(place))
  for (const { occupant, successor } of places)
    for (const member of [occupant, successor]) if (member) dismiss(herd, member, reason, turn)
}

/** Sends away everything. */
export function stop(herd: Herd, turn: Turn): void {
  herd.phase = 'stopped'
  closePlaces(herd, herd.places, 'the group is stopped', turn)
  if (members(herd).length === 0) turn.actions.push({ kind: 'empty' })
}

function byUsefulness(one: Place, other: Place): number {
  return usefulness(other) - usefulness(one) || one.key - other.key
}

function usefulness({ occupant }: Place): number {
  if (!occupant) return 0
  return occupant.phase === 'running' ? 2 : 1
}

function shown(value: unknown): string {
  return typeof value === 'number'
    ? String(value)
    : (JSON.stringify(value) ?? 'nothing').slice(0, 80)
}
