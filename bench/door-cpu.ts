import type { Claim } from './lab/claim.ts'
import { type RunningDoor, startDoors } from './lab/doors.ts'
import { saturate } from './lab/generators.ts'
import type { Lab } from './lab/lab.ts'
import { type CpuTime, cpuTimeBetween, cpuTimeOf } from './lab/process-usage.ts'
import { median, tableLines } from './lab/table.ts'
import { startUpstreams } from './lab/upstreams.ts'

const rounds = 5
const secondsPerRun = 4
const warmUpSeconds = 2
const connections = 64

/** Microseconds of CPU time per request, and requests per second. */
interface Cost {
  readonly user: number
  readonly system: number
  readonly perSecond: number
  readonly errors: number
}

/** What one small proxied request costs the door's processor. */
export const doorCpu: Claim = {
  name: 'door-cpu',
  about: 'CPU time per proxied request: drover, nginx, HAProxy, @fastify/http-proxy, http-proxy-3',
  async run(lab) {
    const upstreams = await startUpstreams(lab)
    const running = await startDoors(lab, upstreams.ports)
    for (const door of running) {
      lab.progress(`warming up ${door.name}`)
      await measure(lab, door, warmUpSeconds)
    }
    const costs = new Map<string, Cost[]>(running.map(({ name }) => [name, []]))
    for (let round = 1; round <= rounds; round++) {
      for (const door of running) {
        lab.progress(`round ${round} of ${rounds}: ${door.name}`)
        costs.get(door.name)?.push(await measure(lab, door, secondsPerRun))
      }
    }
    print(lab, costs)
  },
}

/** The door's CPU time over one run, divided by the requests of that run. */
async function measure(lab: Lab, door: RunningDoor, seconds: number): Promise<Cost> {
  const before = cpuTimeOf(door.process.pid)
  const run = await saturate(lab, {
    url: `http://127.0.0.1:${door.port}/`,
    connections,
    seconds,
  })
  const used: CpuTime = cpuTimeBetween(before, cpuTimeOf(door.process.pid))
  return {
    user: (used.user / run.requests) * 1e6,
    system: (used.system / run.requests) * 1e6,
    perSecond: run.requests / run.seconds,
    errors: run.errors,
  }
}

function print(lab: Lab, costs: ReadonlyMap<string, readonly Cost[]>): void {
  const total = (name: string) =>
    median((costs.get(name) ?? []).map(({ user, system }) => user + system))
  const nginx = total('nginx')
  const rows = [...costs].map(([name, runs]) => {
    const middle = (of: (cost: Cost) => number) => median(runs.map(of))
    const spread = runs.map(({ user, system }) => user + system)
    return [
      name,
      middle(({ user, system }) => user + system).toFixed(1),
      `${Math.min(...spread).toFixed(1)}-${Math.max(...spread).toFixed(1)}`,
      middle(({ user }) => user).toFixed(1),
      middle(({ system }) => system).toFixed(1),
      (total(name) / nginx).toFixed(2),
      Math.round(Math.max(...runs.map(({ perSecond }) => perSecond))).toString(),
      runs.reduce((sum, { errors }) => sum + errors, 0).toString(),
    ]
  })
  const header = [
    'door',
    'µs/request',
    'from-to',
    'user',
    'system',
    '÷ nginx',
    'best req/s',
    'errors',
  ]

  lab.print(
    `${connections} clients, 3 upstreams, small answers; median of ${rounds} interleaved runs of ${secondsPerRun} s`,
  )
  lab.print()
  for (const line of tableLines([header, ...rows])) lab.print(line)
  lab.print()
  lab.print(
    'goal: at most 1.4 × nginx (on to 1.0), and a third of @fastify/http-proxy and http-proxy-3',
  )
  const others = ['@fastify/http-proxy', 'http-proxy-3'].map(
    (name) => `${(total(name) / total('drover')).toFixed(1)} × better than ${name}`,
  )
  lab.print(`here: ${(total('drover') / nginx).toFixed(2)} × nginx, ${others.join(', ')}`)
}
