import type { Link, Server } from './herd-api.ts'

/** A link between two servers, by what both ends tell of it. */
export interface Edge {
  /** Their names in the order of the alphabet. */
  readonly ends: readonly [string, string]
  readonly state: 'linked' | 'cut' | 'down'
  /** Why it is not linked. */
  readonly reason: string | undefined
  /** Who cut it, and so who has to restore it. */
  readonly cutBy: readonly string[]
  readonly sinceMs: number | undefined
  readonly rttMs: number | undefined
  readonly waiting: number
  readonly records: number
}

/** Returns each link once. It is linked only when every end that answers says so. */
export function edgesOf(servers: readonly Server[]): Edge[] {
  const told = new Map<string, { ends: [string, string]; by: { name: string; link: Link }[] }>()
  for (const { name, links } of servers) {
    if (name === undefined) continue
    for (const link of links) {
      const ends = [name, link.peer].sort() as [string, string]
      const known = told.get(ends.join(' ')) ?? { ends, by: [] }
      known.by.push({ name, link })
      told.set(ends.join(' '), known)
    }
  }
  return [...told.values()].map(({ ends, by }) => edgeOf(ends, by))
}

function edgeOf(
  ends: readonly [string, string],
  by: readonly { readonly name: string; readonly link: Link }[],
): Edge {
  const links = by.map(({ link }) => link)
  const cutBy = by.filter(({ link }) => link.isCut).map(({ name }) => name)
  const isLinked = links.every((link) => link.isLinked)
  return {
    ends,
    state: cutBy.length > 0 ? 'cut' : isLinked ? 'linked' : 'down',
    reason: links.find(({ reason }) => reason !== null)?.reason ?? undefined,
    cutBy,
    sinceMs: links.find(({ sinceMs }) => sinceMs !== null)?.sinceMs ?? undefined,
    rttMs: links.find(({ rttMs }) => rttMs !== null)?.rttMs ?? undefined,
    waiting: Math.max(0, ...links.map((link) => link.waiting)),
    records: Math.max(0, ...links.map((link) => link.sentRecords + link.receivedRecords)),
  }
}

/** Names of all servers: those that answer, and those that others know. */
export function serverNames(servers: readonly Server[]): string[] {
  const names = servers.flatMap(({ name, links }) =>
    name === undefined ? [] : [name, ...links.map(({ peer }) => peer)],
  )
  return [...new Set(names)].sort()
}
