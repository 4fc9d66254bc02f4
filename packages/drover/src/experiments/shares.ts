import { drain } from '../services.ts'
import { type Lab, startLab } from './lab.ts'
import type { Report } from './report.ts'
import type { Run } from './run.ts'

/** Requests of each case, as the course asks. */
const requestsEach = 100

/** A replica without requests is drained in no time; this is the bound. */
const drainMsMax = 5_000

interface Case {
  readonly name: string
  readonly policy: string
  readonly weights?: Readonly<Record<string, number>>
  /** This one gets nothing. */
  readonly down?: string
  /** Shares in percent that are expected. */
  readonly expected: readonly number[]
}

const cases: readonly Case[] = [
  { name: 'round robin', policy: 'round-robin', expected: [33.3, 33.3, 33.3] },
  {
    name: 'weighted 8, 1, 1',
    policy: 'weighted',
    weights: { 'Server 1': 8, 'Server 2': 1, 'Server 3': 1 },
    expected: [80, 10, 10],
  },
  { name: 'least connections', policy: 'least-connections', expected: [33.3, 33.3, 33.3] },
  { name: 'one of three down', policy: 'round-robin', down: 'Server 3', expected: [50, 50, 0] },
]

/** The evaluation of an nginx-style course: how policies share a hundred requests. */
export async function runShares({ progress, stage }: Run): Promise<Report> {
  const seen: { readonly one: Case; readonly counts: readonly number[] }[] = []
  for (const one of cases) {
    progress.step(one.name)
    const { policy, weights = {} } = one
    const lab = await startLab(stage, { replicas: 3, policy, workers: 0, service: { weights } })
    try {
      if (one.down) await takeDown(lab, one.down)
      seen.push({ one, counts: await countShares(lab) })
    } finally {
      await lab.stop()
    }
  }
  return {
    question: `Of ${requestsEach} requests, how many does each of three replicas get?`,
    setup: [
      '3 replicas of examples/home-server',
      `${requestsEach} requests one after the other for each case`,
      'Down: the replica is drained, so that it gets nothing',
    ],
    findings: seen.map(
      ({ one, counts }) =>
        `${one.name}: ${counts.join(' / ')}, expected ${one.expected.join(' / ')} %`,
    ),
    claims: [],
    charts: seen.map(({ one, counts }) => ({
      kind: 'bars',
      title: one.name,
      unit: 'requests',
      rows: counts.map((value, index) => ({
        label: `Server ${index + 1}`,
        value,
        expected: ((one.expected[index] ?? 0) * requestsEach) / 100,
      })),
    })),
    tables: [
      {
        title: 'Requests of each replica',
        heading: ['case', 'Server 1', 'Server 2', 'Server 3'],
        rows: seen.map(({ one, counts }) => [one.name, ...counts]),
      },
    ],
  }
}

/** Resolves when the door sends the replica nothing any more. */
async function takeDown({ system }: Lab, name: string): Promise<void> {
  drain(system, 'web', name, false)
  await system.balancer.whenDrained(`web/${name}`, AbortSignal.timeout(drainMsMax))
}

async function countShares(lab: Lab): Promise<number[]> {
  const counts = [0, 0, 0]
  for (let request = 0; request < requestsEach; request++) {
    const text = await (await fetch(new URL('/home', lab.url))).text()
    const index = Number(/Server: (\d+)/.exec(text)?.[1]) - 1
    counts[index] = (counts[index] ?? 0) + 1
  }
  return counts
}
