import { fault } from './errors.ts'
import { fillAfterWait, refillAfterDeath, replaceFailing, startElsewhere } from './filling.ts'
import {
  type Herd,
  type HerdAction,
  type HerdInput,
  type Member,
  members,
  openPlace,
  placeOf,
  type Turn,
  takenNames,
} from './herd.ts'
import {
  advanceRoll,
  applySpec,
  promote,
  rollAfterEnd,
  rollElsewhere,
  startRoll,
  stopRoll,
} from './rolling.ts'
import { add, remove, scale, stop } from './scaling.ts'

/**
 * The whole logic of a group: changes `herd` by what happened or was asked for, and returns what
 * must be done. It waits for nothing, starts nothing and reads no clock. Throws the faults of the
 * calls, and then has changed nothing.
 */
export function decide(
  herd: Herd,
  input: HerdInput,
  from: Pick<Turn, 'nowMs' | 'random'>,
): HerdAction[] {
  const turn: Turn = { ...from, actions: [] }
  if ('id' in input) {
    const member = members(herd).find(({ id }) => id === input.id)
    if (member) decideOne(herd, member, input, turn)
  } else decideAll(herd, input, turn)
  return turn.actions
}

type OneInput = Extract<HerdInput, { id: string }>
type AllInput = Exclude<HerdInput, OneInput>

/** Inputs about the group as a whole. */
function decideAll(herd: Herd, input: AllInput, turn: Turn): void {
  if (input.kind === 'wait-over') {
    fillAfterWait(herd, input.place, turn)
    return
  }
  if (input.kind === 'stop') {
    stopRoll(herd, 'the group is stopped', turn)
    stop(herd, turn)
    return
  }
  if (herd.phase === 'stopped')
    throw fault('GROUP_STOPPED', `group "${herd.spec.name}" was stopped`)
  if (herd.phase === 'new' && input.kind !== 'start')
    throw new TypeError(`group "${herd.spec.name}" must be started first`)
  switch (input.kind) {
    case 'start':
      if (herd.phase === 'new')
        for (let left = herd.spec.replicas; left > 0; left--)
          openPlace(herd, herd.names.numbered(takenNames(herd)), turn)
      herd.phase = 'open'
      return
    case 'scale':
      changePlaces(herd, turn, () => scale(herd, input.count, input.reason, turn))
      return
    case 'add':
      add(herd, input.count, input.names, turn)
      return
    case 'remove':
      changePlaces(herd, turn, () => remove(herd, input.count, input.names, turn))
      return
    case 'roll':
      startRoll(herd, input.reason, turn)
      return
    case 'apply':
      changePlaces(herd, turn, () => applySpec(herd, input.spec, turn))
      return
  }
}

/** Closing places may take away the very replica that a rolling restart waits for. */
function changePlaces(herd: Herd, turn: Turn, change: () => void): void {
  change()
  const awaited = herd.leaving.find(({ id }) => id === herd.roll?.at?.id)
  if (awaited && herd.roll?.at?.waitsFor === 'ready') rollAfterEnd(herd, awaited, 'removed', turn)
  else advanceRoll(herd, turn)
}

/** Inputs about one replica that has not ended. */
function decideOne(herd: Herd, member: Member, input: OneInput, turn: Turn): void {
  const place = placeOf(herd, member.id)
  switch (input.kind) {
    case 'spawned':
      if (member.leavingFor !== undefined) {
        turn.actions.push({ kind: 'end', member })
        return
      }
      member.phase = 'starting'
      member.told = true
      turn.actions.push({ kind: 'tell-spawned', member })
      return
    case 'ready':
      if (!place || member.phase !== 'starting') return
      member.phase = 'running'
      member.readySinceMs = turn.nowMs
      promote(herd, place, member, turn)
      return
    case 'late':
      if (!place || member.phase !== 'starting') return
      fail(herd, member, `not ready after ${herd.spec.startTimeoutMs} ms`, turn)
      return
    case 'replace':
      fail(herd, member, input.reason, turn)
      return
    case 'drained':
      if (member.phase !== 'draining') return
      member.phase = 'stopping'
      turn.actions.push({ kind: 'end', member })
      return
    case 'died':
      died(herd, member, input, turn)
      return
  }
}

function fail(herd: Herd, member: Member, reason: string, turn: Turn): void {
  const place = placeOf(herd, member.id)
  if (!place) return
  rollAfterEnd(herd, member, reason, turn)
  replaceFailing(herd, place, member, reason, turn)
}

function died(
  herd: Herd,
  member: Member,
  how: { readonly reason: string; readonly portTaken: boolean },
  turn: Turn,
): void {
  const place = placeOf(herd, member.id)
  const expected = member.expected && member.phase === 'stopping'
  const reason =
    member.leavingFor === undefined ? how.reason : `${member.leavingFor}; ${how.reason}`
  if (member.told) turn.actions.push({ kind: 'tell-gone', member, expected, reason })
  turn.actions.push({ kind: 'forget', member })
  herd.leaving = herd.leaving.filter((other) => other !== member)
  // Whether it seemed ready says nothing: the stranger at its port may have answered for it.
  const again = place && how.portTaken ? startElsewhere(herd, place, member, turn) : undefined
  if (again) rollElsewhere(herd, member, again)
  else {
    rollAfterEnd(herd, member, how.reason, turn)
    if (place) refillAfterDeath(herd, place, member, how.reason, turn)
  }
  if (herd.phase === 'stopped' && members(herd).length === 0) turn.actions.push({ kind: 'empty' })
}
