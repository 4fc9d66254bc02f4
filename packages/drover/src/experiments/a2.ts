import { fault } from '../errors.ts'
import { type Lab, startLab } from './lab.ts'
import type { Claim, Report } from './report.ts'
import { sendTogether, type Together } from './requests.ts'
import type { Run } from './run.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** The numbers of replicas that the course asks for. */
export const sizes = [2, 3, 4, 5, 6] as const

/** What was seen with one number of replicas. */
export interface Seen {
  readonly replicas: number
  readonly counts: readonly number[]
  readonly failed: number
  /** Requests that were answered by another replica than the ring chose. */
  readonly repeated: number
  readonly spread: Spread
}

/** the same on two to six replicas, and how evenly the load is spread. */
export async function runA2({ requests, progress, stage }: Run): Promise<Report> {
  const lab = await startLab(stage, { replicas: sizes[0], policy: 'slot-ring' })
  const seen: Seen[] = []
  for (const replicas of sizes) {
    progress.step(`${requests} requests at once on ${replicas} replicas`)
    await lab.scaleTo(replicas)
    seen.push(await measure(lab, replicas, () => sendTogether(new URL('/home', lab.url), requests)))
  }
  return reportOf(requests, seen)
}

/** Has `send` send requests together, and counts what each of the `replicas` answered. */
export async function measure(
  lab: Lab,
  replicas: number,
  send: () => Promise<Together>,
): Promise<Seen> {
  const names = (await lab.ready()).map(({ name }) => name.replace('Server ', ''))
  const before = await lab.retries()
  const { byServer, failures } = await send()
  const counts = names.map((name) => byServer.get(name) ?? 0)
  if ([...byServer.keys()].some((name) => !names.includes(name)))
    throw fault('EXPERIMENT_FAILED', 'a replica was replaced while the load was measured')
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0)
  const repeated = (await lab.retries()) - before
  return { replicas, counts, failed, repeated, spread: spreadOf(counts) }
}

/** Says whether all were answered, each by the replica that was chosen for it. */
export function claimsOf(seen: readonly Seen[]): Claim[] {
  const sum = (numberOf: (one: Seen) => number) =>
    seen.reduce((total, one) => total + numberOf(one), 0)
  const [failed, repeated] = [sum((one) => one.failed), sum((one) => one.repeated)]
  return [
    { says: `${failed} requests failed`, holds: failed === 0 },
    claimOfRepeated(
      repeated,
      sum(({ counts }) => counts.reduce((all, count) => all + count, 0)),
    ),
  ]
}

/** A few, sent again because a connection had just been closed, do not spoil the counts. */
const repeatedShareMax = 0.005

/** Says how many requests were not answered by the replica that the policy chose. */
export function claimOfRepeated(repeated: number, requests: number): Claim {
  return {
    says: `${repeated.toLocaleString('en')} of ${requests.toLocaleString('en')} requests were answered by another replica than the one first chosen`,
    holds: repeated <= repeatedShareMax * requests,
  }
}

function reportOf(requests: number, seen: readonly Seen[]): Report {
  const worst = seen.reduce((one, other) =>
    other.spread.mostOverMean > one.spread.mostOverMean ? other : one,
  )
  return {
    question: 'Does a replica more take its share of the load?',
    setup: [
      `one service of examples/home-server, policy slot-ring with the course's hash functions, scaled from ${sizes[0]} to ${sizes.at(-1)} replicas while it runs`,
      `at each size ${requests.toLocaleString('en')} requests at the same time`,
    ],
    findings: [
      'the average load falls as N grows, as it must; the busiest replica hardly gets less',
      `the worst is N = ${worst.replicas}: the busiest replica has ${worst.spread.mostOverMean.toFixed(2)} times the mean`,
    ],
    claims: claimsOf(seen),
    charts: [
      {
        kind: 'lines',
        title: 'Load of a replica',
        unit: 'requests',
        points: seen.map(({ replicas }) => `N = ${replicas}`),
        series: [
          { name: 'mean', values: seen.map(({ spread }) => spread.mean) },
          { name: 'busiest replica', values: seen.map(({ spread }) => spread.most) },
          { name: 'standard deviation', values: seen.map(({ spread }) => spread.deviation) },
        ],
      },
    ],
    tables: [
      {
        title: 'Load by number of replicas',
        heading: ['N', 'mean', 'standard deviation', 'least', 'most', 'most / mean', 'each'],
        rows: seen.map(({ replicas, spread, counts }) => [
          replicas,
          Math.round(spread.mean),
          Math.round(spread.deviation),
          spread.least,
          spread.most,
          spread.mostOverMean.toFixed(2),
          counts.join(', '),
        ]),
      },
    ],
  }
}
