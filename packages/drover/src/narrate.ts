import type { BalancerEvent } from '@drover/balancer'
import type { GroupEvent } from '@drover/supervisor'
import type { DroverEvent } from './event-log.ts'

type Told = Omit<DroverEvent, 'id' | 'atMs'>

/** Puts what happened to replicas into words. */
export function narrateGroup(event: GroupEvent): Told {
  switch (event.kind) {
    case 'spawned': {
      const { host, port, pid } = event.replica
      return about(
        event.replica,
        'detail',
        'started',
        `started as process ${pid} on ${host}:${port}`,
      )
    }
    case 'said-ready':
      return about(event.replica, 'detail', 'said-ready', 'says that it is ready')
    case 'draining':
      return about(event.replica, 'detail', 'draining', `gets nothing new: ${event.reason}`)
    case 'gone':
      return event.expected
        ? about(event.replica, 'detail', 'stopped', `has stopped: ${event.reason}`)
        : about(event.replica, 'warning', 'died', `died: ${event.reason}`)
    case 'crash-loop': {
      const { group, reason, restarts, waitMs } = event
      const message = `${group}: a replica died ${restarts} times in a row (${reason}); next try in ${seconds(waitMs)}`
      return { level: 'warning', kind: 'supervisor.group.crash-loop', service: group, message }
    }
    case 'roll-stopped': {
      const { group, reason } = event
      const message = `${group}: the rolling restart ended early, the old replicas stay: ${reason}`
      return { level: 'warning', kind: 'supervisor.group.roll-stopped', service: group, message }
    }
    case 'scaled': {
      const { group, reason, replicas } = event
      const message = `${group}: ${replicas} replicas from now on: ${reason}`
      return { level: 'notice', kind: 'supervisor.group.scaled', service: group, message }
    }
    default:
      throw new TypeError(`unknown group event ${JSON.stringify(event satisfies never)}`)
  }
}

function about(
  replica: { readonly group: string; readonly name: string },
  level: Told['level'],
  verb: string,
  what: string,
): Told {
  const { group, name } = replica
  const message = `${group}: ${name} ${what}`
  return { level, kind: `supervisor.replica.${verb}`, service: group, replica: name, message }
}

/** Puts what the front door decided into words; `nameOf` finds a replica's name by its id. */
export function narrateBalancer(event: BalancerEvent, nameOf: (id: string) => string): Told {
  switch (event.kind) {
    case 'transition': {
      const { service, transition } = event
      const { to, reason } = transition
      const replica = nameOf(transition.replica)
      const message = `${service}: ${replica} is ${words[to]}: ${reason}`
      return { level: levels[to], kind: `balancer.replica.${to}`, service, replica, message }
    }
    case 'unfit': {
      const { service, reason } = event
      const replica = nameOf(event.replica)
      const message = `${service}: ${replica} is to be replaced: ${reason}`
      return { level: 'warning', kind: 'balancer.replica.unfit', service, replica, message }
    }
    case 'trouble':
      return { level: 'warning', kind: 'balancer.engine.trouble', message: `door: ${event.reason}` }
    default:
      throw new TypeError(`unknown balancer event ${JSON.stringify(event satisfies never)}`)
  }
}

type State = Extract<BalancerEvent, { kind: 'transition' }>['transition']['to']

const words: Record<State, string> = {
  starting: 'starting',
  checking: 'being checked',
  ready: 'ready',
  'slow-start': 'coming in slowly',
  suspect: 'under suspicion',
  ejected: 'out',
  draining: 'draining',
  stopped: 'gone',
}

const levels: Record<State, Told['level']> = {
  starting: 'detail',
  checking: 'detail',
  ready: 'notice',
  'slow-start': 'notice',
  suspect: 'detail',
  ejected: 'warning',
  draining: 'detail',
  stopped: 'detail',
}

function seconds(durationMs: number): string {
  return durationMs < 1_000 ? `${Math.round(durationMs)} ms` : `${Math.round(durationMs / 1_000)} s`
}
