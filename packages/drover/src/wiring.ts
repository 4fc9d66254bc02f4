import type { Balancer, BalancerEvent } from '@drover/balancer'
import { describeError, type Log } from '@drover/kernel'
import type { Group, GroupEvent, Traffic } from '@drover/supervisor'
import { manageService } from './config/managed.ts'
import type { EventLog } from './event-log.ts'
import { lastWords } from './last-words.ts'
import { narrateBalancer, narrateGroup } from './narrate.ts'

/** What joins the two halves: the supervisor that runs replicas, and the door that uses them. */
export interface Joined {
  readonly balancer: Balancer
  readonly events: EventLog
  readonly log: Log
  /** The groups that run now, by service. */
  readonly groups: ReadonlyMap<string, Group>
  /** The share of a replica by its service and name. */
  readonly weightOf: (service: string, replica: string) => number
}

/**
 * Tells the door what happened to a replica:
 *
 *   spawned ─▶ add    said-ready ─▶ check now    draining ─▶ drain    gone ─▶ remove    scaled ─▶ expect
 */
export function hearGroup(event: GroupEvent, joined: Joined): void {
  const { balancer, events, weightOf } = joined
  switch (event.kind) {
    case 'spawned': {
      const { id, name, host, port, group } = event.replica
      balancer.addReplica(group, { id, name, host, port, weight: weightOf(group, name) })
      break
    }
    case 'said-ready':
      balancer.replicaSaidReady(event.replica.id)
      break
    case 'draining':
      balancer.drain(event.replica.id, event.reason)
      break
    case 'gone':
      balancer.replicaGone(event.replica.id, event.reason)
      break
    case 'scaled':
      balancer.expectReplicas(event.group, event.replicas)
      break
    case 'crash-loop':
    case 'roll-stopped':
      break
    default:
      throw new TypeError(`unknown group event ${JSON.stringify(event satisfies never)}`)
  }
  const told = narrateGroup(event)
  const lines = event.kind === 'crash-loop' ? lastErrorLines(joined.groups.get(event.group)) : ''
  events.record({ ...told, message: `${told.message}${lines}` })
}

/** What the replica that wrote last said last: most likely the one that has just died. */
function lastErrorLines(group: Group | undefined): string {
  const lines = group?.logs().filter(({ stream }) => stream === 'stderr') ?? []
  const author = lines.at(-1)?.replica
  const words = lines.filter(({ replica }) => replica === author).map(({ text }) => text)
  return lastWords(words)
    .map((text) => `\n    ${author}: ${text}`)
    .join('')
}

/** Tells the supervisor what the door found: a replica that is unfit is replaced. */
export function hearBalancer(event: BalancerEvent, joined: Joined): void {
  const { events, groups, log } = joined
  const nameOf = (id: string) => id.slice(id.indexOf('/') + 1).replace(/~\d+$/, '')
  if (event.kind === 'transition' && event.service === manageService) return
  events.record(narrateBalancer(event, nameOf))
  if (event.kind !== 'unfit') return
  const group = groups.get(event.service)
  group?.replace(event.replica, event.reason).catch((error: unknown) => {
    log.error({ cause: describeError(error) }, `${event.replica} could not be replaced`)
  })
}

/** Tells autoscaled groups how many requests are under way or wait. */
export async function tellLoad({ balancer, groups }: Joined): Promise<void> {
  const { services } = await balancer.status()
  for (const { name, waiting, replicas } of services)
    groups.get(name)?.observeLoad(replicas.reduce((sum, { inFlight }) => sum + inFlight, waiting))
}

/** Lets the supervisor ask the door; once the door is closed nothing is under way any more. */
export function trafficOf(balancer: Balancer, doorClosed: () => boolean): Traffic {
  return {
    whenReady: (id, signal) => balancer.whenReady(id, signal),
    whenDrained: (id, signal) =>
      doorClosed() ? Promise.resolve() : balancer.whenDrained(id, signal),
  }
}
