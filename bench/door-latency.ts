import type { Claim } from './lab/claim.ts'
import { doors, type RunningDoor, startDoors } from './lab/doors.ts'
import { type PacedRun, pace, saturate } from './lab/generators.ts'
import type { Lab } from './lab/lab.ts'
import { lowerQuartile, median, tableLines } from './lab/table.ts'
import { startUpstreams } from './lab/upstreams.ts'

const rounds = 12
const secondsPerRun = 2
const connections = 64
const direct = 'no door'
/** The others have less than half of these doors' peak, and so no latency at that rate. */
const compared = ['drover', 'nginx', 'HAProxy']
/** Without a door answers come within this, or something else is using the processor. */
const quietP99Micros = 1_000

/** How much later answers come because of the door, at half of the load that it can take. */
export const doorLatency: Claim = {
  name: 'door-latency',
  about: 'added latency (p50, p99, p99.9) at half of the peak load',
  async run(lab) {
    const upstreams = await startUpstreams(lab)
    const fast = await startDoors(
      lab,
      upstreams.ports,
      doors.filter(({ name }) => compared.includes(name)),
    )
    const peaks = new Map<string, number>()
    for (const door of fast) peaks.set(door.name, await peakOf(lab, door))
    const rate = Math.floor(Math.min(...peaks.values()) / 2)

    const targets = [
      { name: direct, port: upstreams.ports[0] ?? 0 },
      ...fast.map(({ name, port }) => ({ name, port })),
    ]
    const runs = new Map<string, PacedRun[]>(targets.map(({ name }) => [name, []]))
    for (let round = 1; round <= rounds; round++) {
      for (const { name, port } of targets) {
        lab.progress(`round ${round} of ${rounds}: ${name} at ${rate}/s`)
        const url = `http://127.0.0.1:${port}/`
        const load = { url, connections, seconds: secondsPerRun, perSecond: rate }
        runs.get(name)?.push(await pace(lab, load))
      }
    }
    print(lab, runs, peaks, rate)
  },
}

async function peakOf(lab: Lab, door: RunningDoor): Promise<number> {
  const url = `http://127.0.0.1:${door.port}/`
  let best = 0
  for (let attempt = 1; attempt <= 3; attempt++) {
    lab.progress(`the peak of ${door.name}`)
    const { requests, seconds } = await saturate(lab, { url, connections, seconds: 2 })
    best = Math.max(best, requests / seconds)
  }
  return best
}

function print(
  lab: Lab,
  runs: ReadonlyMap<string, readonly PacedRun[]>,
  peaks: ReadonlyMap<string, number>,
  rate: number,
): void {
  const middle = (name: string, key: keyof PacedRun) =>
    lowerQuartile((runs.get(name) ?? []).map((latency) => latency[key]))
  const added = (name: string, key: keyof PacedRun) => middle(name, key) - middle(direct, key)
  const rows = [...runs.keys()].map((name) => [
    name,
    name === direct ? '' : Math.round(peaks.get(name) ?? 0).toString(),
    Math.round(median((runs.get(name) ?? []).map(({ perSecond }) => perSecond))).toString(),
    ...(['p50', 'p99', 'p999'] as const).map((key) => Math.round(middle(name, key)).toString()),
    name === direct ? '' : Math.round(added(name, 'p99')).toString(),
    name === direct ? '' : (added(name, 'p99') / added('nginx', 'p99')).toFixed(2),
    (runs.get(name) ?? []).reduce((sum, { errors }) => sum + errors, 0).toString(),
  ])
  const header = [
    'door',
    'peak req/s',
    'here',
    'p50 µs',
    'p99 µs',
    'p99.9 µs',
    'added p99',
    '÷ nginx',
    'errors',
  ]
  lab.print(
    `about ${rate} requests a second (half of the lowest peak) over ${connections} connections;`,
  )
  lab.print(
    `lower quartile of ${rounds} interleaved runs of ${secondsPerRun} s, which leaves out the runs`,
  )
  lab.print('in which something else on the machine held the processor for a while')
  lab.print()
  for (const line of tableLines([header, ...rows])) lab.print(line)
  lab.print()
  if (middle(direct, 'p99') > quietP99Micros)
    lab.print('Even without a door p99 is over 1 ms: this machine is busy, the tails say little.')
  lab.print('goal: added p99 at most 1.2 × nginx')
}
