import { policies } from '@drover/balancer'
import { describeError, nearest } from '@drover/kernel'
import type { Group, ReplicaInfo } from '@drover/supervisor'
import { checkServiceName } from './config/check-names.ts'
import { toKey } from './config/to-service.ts'
import { fault } from './errors.ts'
import type { System } from './system.ts'

/** Returns the group of a service. Throws UNKNOWN_SERVICE, or NOTHING_RUNS for fixed addresses. */
export function groupOf(
  { groups, config }: Pick<System, 'groups' | 'config'>,
  name: string,
): Group {
  const group = groups.get(name)
  if (group) return group
  refuseUnknown(config, name)
  throw fault('NOTHING_RUNS', `"${name}" has fixed addresses; Drover runs nothing of it`)
}

/** Throws UNKNOWN_SERVICE that names the nearest service. */
function refuseUnknown(config: System['config'], name: string): void {
  const [problem] = checkServiceName([], name, config)
  if (problem) throw fault('UNKNOWN_SERVICE', problem.message)
}

/** Runs `count` replicas of a service from now on. */
export async function scale(system: System, name: string, count: number): Promise<void> {
  await groupOf(system, name).scale(count, 'asked for by the admin API')
}

/**
 * Begins a rolling restart; its end is an event, `drover.restart.done` or `drover.restart.failed`.
 */
export function restart(system: System, name: string): void {
  const group = groupOf(system, name)
  const { events } = system
  group.rollingRestart('asked for by the admin API').then(
    () =>
      events.record({
        level: 'notice',
        kind: 'drover.restart.done',
        service: name,
        message: `${name}: every replica is new`,
      }),
    (error) =>
      events.record({
        level: 'warning',
        kind: 'drover.restart.failed',
        service: name,
        message: `${name}: the restart failed: ${describeError(error)}`,
      }),
  )
}

/** Gives a replica nothing new, or takes that back. */
export function drain(system: System, name: string, replica: string, undo: boolean): void {
  const id = replicaId(system, name, replica)
  if (undo) system.balancer.resume(id, 'asked for by the admin API')
  else system.balancer.drain(id, 'asked for by the admin API')
}

/**
 * Kills a replica as a crash would, to see what happens: SIGKILL to a process; a container is
 * ended by its engine.
 */
export async function kill(system: System, name: string, replica: string): Promise<void> {
  const group = groupOf(system, name)
  const { id, pid, container } = findReplica(group.replicas(), name, replica)
  if (container !== undefined || pid === undefined)
    return group.replace(id, 'killed through the admin API')
  process.kill(pid, 'SIGKILL')
}

/** Changes a replica's share until the configuration is loaded again. */
export function weigh(system: System, name: string, replica: string, weight: number): void {
  system.balancer.setWeight(replicaId(system, name, replica), weight)
}

/** What `setPolicy` takes; the key and the options may be left out. */
export interface PolicyWish {
  readonly name: string
  readonly key?: string
  readonly options?: Readonly<Record<string, number | string>>
}

/** Changes how requests are spread until the configuration is loaded again. */
export async function setPolicy(system: System, service: string, wish: PolicyWish): Promise<void> {
  const { config, balancer } = system
  refuseUnknown(config, service)
  const { name, options = {} } = wish
  const known = Object.keys(policies) as (keyof typeof policies)[]
  const policy = known.find((one) => one === name)
  if (policy === undefined) {
    const near = nearest(name, known)
    const hint = near === undefined ? `policies are ${known.join(', ')}` : `did you mean "${near}"?`
    throw fault('POLICY_UNKNOWN', `no policy is called "${name}"; ${hint}`)
  }
  const usual = policy === 'slot-ring' ? 'request-id' : 'client'
  await balancer.setPolicy(service, { name: policy, key: toKey(wish.key ?? usual), options })
}

/** The id of a replica that Drover runs, or of one at a fixed address. Throws as `groupOf` does, and REPLICA_UNKNOWN. */
export function replicaId(system: System, name: string, replica: string): string {
  refuseUnknown(system.config, name)
  const group = system.groups.get(name)
  return group ? findReplica(group.replicas(), name, replica).id : `${name}/${replica}`
}

/** The name of a replica that runs, or of one that has ended and whose output is still kept. Throws as `replicaId` does. */
export function writerName(system: System, service: string, replica: string): string {
  const group = groupOf(system, service)
  const written = new Set(group.logs().map((line) => line.replica))
  const ended = Array.from(written, (name) => ({ name, id: name }))
  return findReplica([...group.replicas(), ...ended], service, replica).name
}

/** Finds a replica by its name, its id, or what follows the prefix of its name (`3`). */
function findReplica<Named extends Pick<ReplicaInfo, 'id' | 'name'>>(
  replicas: readonly Named[],
  service: string,
  wanted: string,
): Named {
  const found =
    replicas.find(({ name, id }) => name === wanted || id === wanted) ??
    replicas.find(({ name }) => name.endsWith(` ${wanted}`))
  if (found) return found
  const names = [...new Set(replicas.map(({ name }) => name))]
  const near = nearest(wanted, names)
  const hint =
    near === undefined ? `there are ${names.join(', ') || 'none'}` : `did you mean "${near}"?`
  throw fault('REPLICA_UNKNOWN', `${service} has no replica "${wanted}"; ${hint}`)
}
