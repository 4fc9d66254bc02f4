import type { Lag } from './queue-api.ts'

/** A group of readers, over all partitions. */
export interface Group {
  readonly name: string
  readonly kind: string
  readonly lag: number
  readonly members: number
}

/** Adds up what a group has before it in each partition. */
export function groupsOf(lag: readonly Lag[]): Group[] {
  const groups = new Map<string, Group>()
  for (const { group, kind, lag: behind, members } of lag) {
    const known = groups.get(`${kind} ${group}`)
    groups.set(`${kind} ${group}`, {
      ...{ name: group, kind },
      lag: (known?.lag ?? 0) + behind,
      members: Math.max(known?.members ?? members, members),
    })
  }
  return [...groups.values()]
}
