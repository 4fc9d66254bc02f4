import type { Random } from '@drover/kernel'
import { fault } from './errors.ts'

/** Without letters and digits that look alike: people read these names aloud. */
const letters = 'abcdefghjkmnpqrstuvwxyz'
const lettersAndDigits = `${letters}23456789`

/** Names once used that are remembered, so that an id never means two replicas. */
const rememberedMax = 10_000

/** Hands out the names of one group's replicas; holds no replica itself. */
export interface Names {
  /** The next number that is free: `Server 4`. */
  numbered(taken: ReadonlySet<string>): string
  /** A name that nobody has: `Server k3f9x2`. */
  invented(taken: ReadonlySet<string>): string
}

/** Returns the names of a group; `prefix` is asked each time, because a new spec may change it. */
export function createNames(prefix: () => string, random: Random): Names {
  let last = 0
  const free = (name: string, taken: ReadonlySet<string>) => !taken.has(nameKey(name))

  return {
    numbered(taken) {
      let name: string
      do name = `${prefix()}${++last}`
      while (!free(name, taken))
      return name
    },
    invented(taken) {
      let name: string
      do name = `${prefix()}${inventedWord(random)}`
      while (!free(name, taken))
      return name
    },
  }
}

/** Returns the id of a new replica of `group` called `name`: unique for ever. */
export type MakeId = (group: string, name: string) => string

/** Returns what makes ids for all groups of a supervisor, also for groups opened again. */
export function createIds(): MakeId {
  const uses = new Map<string, number>()
  return (group, name) => {
    const id = `${group}/${name}`
    const use = (uses.get(id) ?? 0) + 1
    // Deleted and set again, so that the oldest is first and the one to forget.
    uses.delete(id)
    uses.set(id, use)
    const oldest = uses.keys().next()
    if (uses.size > rememberedMax && !oldest.done) uses.delete(oldest.value)
    return use === 1 ? id : `${id}~${use}`
  }
}

/** Six letters and digits, the first a letter: clients of the course read the id as one word. */
function inventedWord(random: Random): string {
  const rest = Array.from({ length: 5 }, () => random.pick([...lettersAndDigits]))
  return [random.pick([...letters]), ...rest].join('')
}

/**
 * Returns what two names must not share: a container has underscores where its replica has blanks.
 * Sets of taken names hold these.
 */
export function nameKey(name: string): string {
  return name.replaceAll(' ', '_')
}

/** Returns what SERVER_ID says: the name without the group's prefix. */
export function serverId(name: string, prefix: string): string {
  return name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : name
}

/** Throws when `names` cannot be given to `count` new replicas beside those in `taken`. */
export function checkNewNames(
  count: number,
  names: readonly string[],
  taken: ReadonlySet<string>,
): void {
  checkList(count, names, 'newly added instances')
  for (const name of names) {
    // `~` marks ids of names used again; `/` parts ids; a container's name has neither.
    if (!/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}$/.test(name))
      throw fault(
        'NAME_INVALID',
        `${quote(name)} is not a name of 1 to 63 letters, digits, blanks, _, . or -`,
      )
    if (taken.has(nameKey(name)))
      throw fault('NAME_TAKEN', `a replica called ${quote(name)} runs already`)
  }
}

/** Throws when `names` cannot be removed as part of `count` replicas out of those in `running`. */
export function checkOldNames(
  count: number,
  names: readonly string[],
  running: ReadonlySet<string>,
): void {
  checkList(count, names, 'removable instances')
  for (const name of names)
    if (!running.has(name)) throw fault('UNKNOWN_REPLICA', `no replica is called ${quote(name)}`)
}

function checkList(count: number, names: readonly string[], what: string): void {
  if (names.length > count)
    throw fault('NAMES_TOO_MANY', `${names.length} names were given for ${count} ${what}`)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw fault('NAME_TWICE', `${quote(twice)} was given twice`)
}

/** A value from outside in a message: bounded, on one line. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name)
}
