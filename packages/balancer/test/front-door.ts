import { createManualClock, type ManualClock, seededRandom, silentLog } from '@drover/kernel'
import { type Balancer, type BalancerEvent, createBalancer } from '../src/balancer.ts'
import type { Model, ServiceModel } from '../src/model.ts'
import { defaultHealth, defaultListener, defaultService } from '../src/options.ts'
import type { ProbeResult } from '../src/probe.ts'
import { createMemoryEngine, type MemoryEngine } from './memory-engine.ts'

/** A front door over a memory engine, a manual clock, and replicas that are only pretended. */
export interface FrontDoor {
  readonly balancer: Balancer
  readonly engine: MemoryEngine
  readonly clock: ManualClock
  readonly events: BalancerEvent[]
  /** How each port answers checks; those not named are closed. */
  readonly answers: Map<number, 'well' | 'broken' | 'closed'>
  /** What names resolve to. */
  readonly names: Map<string, string[]>
  /** Adds `web/<name>` on `port`, which answers its checks well. */
  add(name: string, port: number, weight?: number): void
}

/** Returns the model of one listener and the service `web`. */
export function modelOf(given: Partial<ServiceModel> = {}): Model {
  return {
    listeners: [
      defaultListener('front', {
        routes: [{ name: 'all', match: {}, action: { kind: 'service', service: 'web' } }],
      }),
    ],
    services: [defaultService('web', given)],
    trustedProxies: [],
  }
}

export const quickHealth = {
  ...defaultHealth,
  check: { ...defaultHealth.check, intervalMs: 1_000 },
}

/** Returns a front door that was started with `model`. */
export async function startFrontDoor(model: Model = modelOf()): Promise<FrontDoor> {
  const clock = createManualClock(Date.UTC(2026, 0, 1))
  const engine = createMemoryEngine()
  const answers: FrontDoor['answers'] = new Map()
  const names: FrontDoor['names'] = new Map()
  const events: BalancerEvent[] = []
  const probe = async ({ port }: { port: number }): Promise<ProbeResult> => {
    const answer = answers.get(port) ?? 'closed'
    if (answer === 'well') return { kind: 'passed', tookMs: 1 }
    return { kind: 'failed', reason: answer, closed: answer === 'closed' }
  }
  const resolve = async (host: string) => {
    const found = names.get(host)
    if (!found) throw new Error(`getaddrinfo ENOTFOUND ${host}`)
    return found
  }
  const parts = { engine, clock, random: seededRandom(1), log: silentLog, probe, resolve }
  const balancer = createBalancer(parts)
  balancer.on((event) => events.push(event))
  await balancer.start(model)
  const add = (name: string, port: number, weight = 1) => {
    answers.set(port, answers.get(port) ?? 'well')
    balancer.addReplica('web', { id: `web/${name}`, name, host: '127.0.0.1', port, weight })
  }
  return { balancer, engine, clock, events, answers, names, add }
}

/** Returns the states that a replica went through, in order. */
export function pathOf(events: readonly BalancerEvent[], replica: string): string {
  return events
    .flatMap((event) => (event.kind === 'transition' ? [event.transition] : []))
    .filter((transition) => transition.replica === replica)
    .map(({ to }) => to)
    .join(' ')
}
