import type { Random } from '@drover/kernel'
import { createNames, type MakeId, type Names, nameKey } from './names.ts'
import type { GroupSpec } from './spec.ts'

/**
 * What should be running, as plain data. `decide` is the only one who changes it.
 *
 * A group has as many places as replicas are wanted. A place is filled by its occupant; while a
 * rolling restart is at it, also by a successor which becomes the occupant when it is ready. A place
 * without an occupant is waiting to be filled again (crash loop). Replicas that were sent away are
 * in `leaving` until they have ended.
 */
export interface Herd {
  spec: GroupSpec
  /** Counts the things that all replicas must run anew for; a replica of an older one is outdated. */
  revision: number
  places: Place[]
  leaving: Member[]
  roll: Roll | undefined
  phase: 'new' | 'open' | 'stopped'
  placeLast: number
  readonly names: Names
  readonly makeId: MakeId
}

export interface Place {
  readonly key: number
  /** Deaths since an occupant was last stable. */
  deaths: number
  /** Starts that failed only because somebody else took the port. */
  portsLost: number
  occupant: Member | undefined
  successor: Member | undefined
}

/**
 * One replica.
 *
 *   spawning ─▶ starting ─▶ running ─▶ draining ─▶ stopping ─▶ forgotten
 *
 * It is spawning until the runtime has started it, starting until it is ready. A replica that is
 * sent away while it is spawning is stopped as soon as it was spawned.
 */
export interface Member {
  readonly id: string
  readonly name: string
  readonly revision: number
  phase: 'spawning' | 'starting' | 'running' | 'draining' | 'stopping'
  /** Whether the outside was told of it; of one that never started, or was not wanted by then, it is not. */
  told: boolean
  /** Deaths in its place before it, since one was last stable. */
  readonly restarts: number
  readySinceMs: number | undefined
  /** Why it was sent away; undefined while it belongs to a place. */
  leavingFor: string | undefined
  /** Sent away because it is not needed, not because it failed. */
  expected: boolean
}

/** A rolling restart under way. */
interface Roll {
  readonly reason: string
  /** Places still to be done; each is done once. */
  todo: Set<number>
  /** The replica that must become ready, or the old one that must end, before it goes on. */
  at:
    | {
        readonly place: number
        /** `vacant`: when the old one has ended, the new one starts. */
        readonly waitsFor: 'ready' | 'end' | 'vacant'
        readonly id: string
      }
    | undefined
  /** What is run again when the roll stops early. */
  readonly backTo: GroupSpec
}

/** What happened, or was asked for. */
export type HerdInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'scale'; readonly count: number; readonly reason: string }
  | { readonly kind: 'add'; readonly count: number; readonly names: readonly string[] }
  | { readonly kind: 'remove'; readonly count: number; readonly names: readonly string[] }
  | { readonly kind: 'roll'; readonly reason: string }
  | { readonly kind: 'apply'; readonly spec: GroupSpec }
  | { readonly kind: 'replace'; readonly id: string; readonly reason: string }
  | { readonly kind: 'spawned'; readonly id: string }
  | { readonly kind: 'ready'; readonly id: string }
  /** It was not ready before its start timeout. */
  | { readonly kind: 'late'; readonly id: string }
  | { readonly kind: 'drained'; readonly id: string }
  | {
      readonly kind: 'died'
      readonly id: string
      readonly reason: string
      readonly portTaken: boolean
    }
  | { readonly kind: 'wait-over'; readonly place: number }

/** What must be done now, in this order. */
export type HerdAction =
  | { readonly kind: 'spawn'; readonly member: Member }
  | { readonly kind: 'tell-spawned'; readonly member: Member }
  /** Tell the front door; when `wait` holds, come back with `drained`, else nothing is waited for. */
  | {
      readonly kind: 'drain'
      readonly member: Member
      readonly reason: string
      readonly wait: boolean
    }
  /** Send the stop signal, later SIGKILL. */
  | { readonly kind: 'end'; readonly member: Member }
  | {
      readonly kind: 'tell-gone'
      readonly member: Member
      readonly expected: boolean
      readonly reason: string
    }
  | {
      readonly kind: 'wait'
      readonly place: number
      readonly waitMs: number
      readonly restarts: number
      readonly reason: string
    }
  /** It has ended, and nothing speaks of it any more. */
  | { readonly kind: 'forget'; readonly member: Member }
  | { readonly kind: 'tell-scaled'; readonly reason: string }
  | { readonly kind: 'roll-ended'; readonly failure: string | undefined }
  /** The group was stopped and nothing runs any more. */
  | { readonly kind: 'empty' }

/** What deciding needs from outside; `actions` collects what must be done. */
export interface Turn {
  readonly nowMs: number
  readonly random: Random
  readonly actions: HerdAction[]
}

/** Returns the herd of a group before it was started. */
export function createHerd(spec: GroupSpec, random: Random, makeId: MakeId): Herd {
  const herd: Herd = {
    spec,
    revision: 1,
    places: [],
    leaving: [],
    roll: undefined,
    phase: 'new',
    placeLast: 0,
    names: createNames(() => herd.spec.namePrefix, random),
    makeId,
  }
  return herd
}

/** Every replica that has not ended, in order of places, those leaving last. */
export function members(herd: Herd): Member[] {
  const placed = herd.places.flatMap(({ occupant, successor }) =>
    [occupant, successor].filter((member) => member !== undefined),
  )
  return [...placed, ...herd.leaving]
}

/** The keys of names in use, also by replicas that are leaving: a container keeps its name to the end. */
export function takenNames(herd: Herd): Set<string> {
  return new Set(members(herd).map((member) => nameKey(member.name)))
}

/** The place of a replica that belongs to one. */
export function placeOf(herd: Herd, id: string): Place | undefined {
  return herd.places.find(({ occupant, successor }) => occupant?.id === id || successor?.id === id)
}

/** A new replica for `place`; the runtime is told to start it. */
export function spawn(herd: Herd, place: Place, name: string, turn: Turn): Member {
  const member: Member = {
    id: herd.makeId(herd.spec.name, name),
    name,
    revision: herd.revision,
    phase: 'spawning',
    told: false,
    restarts: place.deaths,
    readySinceMs: undefined,
    leavingFor: undefined,
    expected: false,
  }
  turn.actions.push({ kind: 'spawn', member })
  return member
}

/** A new place with a new replica in it. */
export function openPlace(herd: Herd, name: string, turn: Turn): Place {
  const place: Place = {
    key: ++herd.placeLast,
    deaths: 0,
    portsLost: 0,
    occupant: undefined,
    successor: undefined,
  }
  herd.places.push(place)
  place.occupant = spawn(herd, place, name, turn)
  return place
}

/** Sends a replica away that is not needed any more: it drains, then ends. */
export function dismiss(herd: Herd, member: Member, reason: string, turn: Turn): void {
  leave(herd, member, reason)
  member.expected = true
  if (!member.told) return
  member.phase = 'draining'
  turn.actions.push({ kind: 'drain', member, reason, wait: true })
}

/** Sends a replica away that failed: there is nothing to wait for. */
export function discard(herd: Herd, member: Member, reason: string, turn: Turn): void {
  leave(herd, member, reason)
  if (!member.told) return
  turn.actions.push({ kind: 'drain', member, reason, wait: false })
  turn.actions.push({ kind: 'end', member })
}

function leave(herd: Herd, member: Member, reason: string): void {
  member.phase = 'stopping'
  member.leavingFor = reason
  herd.leaving.push(member)
}
