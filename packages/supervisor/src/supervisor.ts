import type { Clock, Log, Random, Service } from '@drover/kernel'
import { fault } from './errors.ts'
import { ReplicaGroup } from './group.ts'
import { createHouse } from './house.ts'
import { createIds } from './names.ts'
import { checkSpec } from './options.ts'
import type { Runtime } from './runtime.ts'
import type { Group, GroupEvent, GroupSpec, Traffic } from './spec.ts'

/** What a supervisor needs from outside. */
export interface SupervisorOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Where it notes what runs, so that nothing is left behind. One living supervisor for each folder. */
  readonly dataFolder: string
  readonly traffic: Traffic
  /** In place of the real ones, for tests. */
  readonly runtimes?: Partial<Record<GroupSpec['runtime']['kind'], Runtime>>
}

/** Keeps groups of replicas alive. */
export interface Supervisor extends Service {
  /** Removes what an earlier supervisor left; called by the first group that starts, too. */
  start(): Promise<void>
  /** Stops all groups, and resolves when nothing of any replica is left. */
  stop(): Promise<void>
  /**
   * Returns a new group, not started yet. Throws SPEC_INVALID, also for the name of a group that was
   * not stopped, and GROUP_STOPPED after `stop`.
   */
  openGroup(spec: GroupSpec, onEvent: (event: GroupEvent) => void): Group
}

/** Returns a supervisor that runs nothing yet. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { clock, random, log, traffic } = options
  const groups = new Map<string, ReplicaGroup>()
  const makeId = createIds()
  let stopped = false
  const house = createHouse(options)
  const runtimes = { process: house.processes, docker: house.containers, ...options.runtimes }

  return {
    start: () => house.open(),
    async stop() {
      stopped = true
      await Promise.all([...groups.values()].map((group) => group.stop()))
      for (const runtime of Object.values(runtimes)) runtime.close()
      await house.close()
    },
    openGroup(spec, onEvent) {
      checkSpec(spec)
      if (stopped) throw fault('GROUP_STOPPED', 'the supervisor was stopped')
      if (groups.has(spec.name))
        throw fault('SPEC_INVALID', `there is a group called "${spec.name}" already`)
      const group = new ReplicaGroup(spec, {
        clock,
        random,
        log: log.child({ group: spec.name }),
        traffic,
        runtimeFor: (of) => runtimes[of.runtime.kind],
        ready: () => house.open(),
        makeId,
        onEvent,
        onStopped: () => {
          if (groups.get(spec.name) === group) groups.delete(spec.name)
        },
      })
      groups.set(spec.name, group)
      return group
    },
  }
}
