import { type Call, callMany, countByReplica, createClient, failuresOf } from './calls.ts'
import type { Chart } from './charts/charts.ts'
import { shown } from './charts/svg.ts'
import { type Pipeline, pipelineSetup, replicaNames, startPipeline } from './pipeline.ts'
import type { Claim, Report, Table } from './report.ts'
import type { Run } from './run.ts'
import { slowDown } from './slow-down.ts'
import { quantile } from './statistics.ts'

/** Calls of each kind, as the course has it. */
const callsEach = 100

/** Calls at a time where one replica is slow, so that several are under way at each. */
const parallel = 12
const slowName = 'Server 3'

/** How calls of one kind, made one after the other, fell on the replicas. */
interface Spread {
  readonly kind: string
  readonly calls: readonly Call[]
  readonly counts: readonly number[]
}

/** Round robin: every replica in its turn. */
export async function runRoundRobin({ stage, progress }: Run): Promise<Report> {
  progress.step('starting the pipeline')
  const pipeline = await startPipeline(stage, { policy: 'round-robin', workers: 0 })
  progress.step(`${callsEach} calls and ${callsEach} submissions`)
  const spreads = await spreadBoth(pipeline)
  return {
    question: `Of ${callsEach} calls, how many does each of three replicas answer when they take turns?`,
    findings: spreads.map(sayShares),
    claims: [...spreads.map(sayAnswered), ...spreads.map(sayEven)],
    ...describe(spreads, [1, 1, 1]),
    setup: [pipelineSetup, 'Policy round-robin; calls one after the other, on one connection'],
  }
}

/** Weights 8, 1, 1: exactly 80, 10 and 10 of a hundred. */
export async function runWeighted({ stage, progress }: Run): Promise<Report> {
  progress.step('starting the pipeline')
  const shares = [8, 1, 1]
  const weights = Object.fromEntries(replicaNames.map((name, index) => [name, shares[index] ?? 1]))
  const wish = { policy: 'weighted', workers: 0, service: { weights } }
  const pipeline = await startPipeline(stage, wish)
  progress.step(`${callsEach} calls and ${callsEach} submissions`)
  const spreads = await spreadBoth(pipeline)
  return {
    question: `Of ${callsEach} calls, how many does each of three replicas answer by the weights 8, 1 and 1?`,
    findings: spreads.map(sayShares),
    claims: [
      ...spreads.map(sayAnswered),
      ...spreads.map(({ kind, counts }) => ({
        says: `${kind}: exactly 80, 10 and 10`,
        holds: counts.join() === '80,10,10',
      })),
    ],
    ...describe(spreads, shares, [80, 10, 10]),
    setup: [
      pipelineSetup,
      'Policy weighted (smooth: turns are spread, not in a row), weights 8, 1, 1; calls one after the other, on one connection',
    ],
    reported: ['Weights 8, 1, 1: 80, 10 and 10 of 100 calls'],
  }
}

/** Least connections: as round robin while all are equal, and away from a replica that is slow. */
export async function runLeastConnections({ stage, progress, isQuick }: Run): Promise<Report> {
  progress.step('starting the pipeline')
  const pipeline = await startPipeline(stage, { policy: 'least-connections', workers: 0 })
  progress.step(`${callsEach} calls and ${callsEach} submissions`)
  const spreads = await spreadBoth(pipeline)
  const count = isQuick ? 300 : 1_500
  const slowed = []
  for (const policy of ['least-connections', 'round-robin'] as const) {
    progress.step(`${count} calls, ${parallel} at a time, ${slowName} slow, by ${policy}`)
    slowed.push({ policy, ...(await callSlowed(pipeline, policy, count)) })
  }
  const [least, turns] = slowed
  const described = describe(spreads, [1, 1, 1])
  return {
    question:
      'How do calls fall on three replicas when each goes to the one with the fewest under way?',
    findings: [
      ...spreads.map(sayShares),
      `with ${slowName} slow, least connections gives it ${share(least?.counts[2], count)} of the calls, and round robin ${share(turns?.counts[2], count)}`,
      ...slowed.map(
        ({ policy, p50Ms, p99Ms, tookMs }) =>
          `with ${slowName} slow, ${policy}: ${count} calls in ${(tookMs / 1_000).toFixed(1)} s; half are answered within ${p50Ms.toFixed(1)} ms, 99 % within ${p99Ms.toFixed(0)} ms`,
      ),
    ],
    claims: [
      ...spreads.map(sayAnswered),
      ...spreads.map(sayEven),
      ...slowed.map(({ policy, calls }) => sayAnswered({ kind: `slow, ${policy}`, calls })),
      {
        says: `least connections gives ${slowName} fewer than a third while it is slow`,
        holds: (least?.counts[2] ?? count) < count / 3,
      },
    ],
    charts: [
      ...described.charts,
      ...slowed.map(({ policy, counts }) => barsOf(`${slowName} slow, ${policy}`, counts)),
    ],
    tables: [
      ...described.tables,
      {
        title: `${count} calls, ${parallel} at a time, ${slowName} slow`,
        heading: ['policy', ...replicaNames, 'seconds', 'p50, ms', 'p99, ms'],
        rows: slowed.map(({ policy, counts, tookMs, p50Ms, p99Ms }) => [
          policy,
          ...counts,
          (tookMs / 1_000).toFixed(2),
          p50Ms.toFixed(1),
          p99Ms.toFixed(1),
        ]),
      },
    ],
    setup: [
      pipelineSetup,
      'Policy least-connections; replicas with equally many calls under way take turns. First calls one after the other, on one connection',
      `Then ${parallel} calls at a time, while the process of ${slowName} is stopped (SIGSTOP) for 40 of every 50 ms: it works at a fifth of its speed, and is not dead`,
    ],
  }
}

async function spreadBoth(pipeline: Pipeline): Promise<Spread[]> {
  const { lab, token, site } = pipeline
  const client = createClient(lab.url)
  const kinds = { '/test_endpoint': client.test, submissions: client.submit(token, site.url) }
  const spreads: Spread[] = []
  for (const [kind, caller] of Object.entries(kinds)) {
    const calls = await callMany(caller, callsEach, 1)
    spreads.push({ kind, calls, counts: countByReplica(calls, replicaNames) })
  }
  await client.stop()
  return spreads
}

async function callSlowed({ lab }: Pipeline, policy: string, count: number) {
  const { setPolicy } = await import('../services.ts')
  await setPolicy(lab.system, 'web', { name: policy })
  const pid = (await lab.ready()).find(({ name }) => name === slowName)?.pid
  if (!pid) throw new TypeError(`${slowName} has no process`)
  const client = createClient(lab.url)
  const stopSlowing = slowDown(pid, { stoppedMs: 40, runningMs: 10 })
  try {
    const calls = await callMany(client.test, count, parallel)
    const times = calls.map(({ sentMs, answeredMs }) => answeredMs - sentMs)
    const tookMs = Math.max(...calls.map((call) => call.answeredMs)) - (calls[0]?.sentMs ?? 0)
    const counts = countByReplica(calls, replicaNames)
    return { calls, counts, tookMs, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }
  } finally {
    stopSlowing()
    await client.stop()
  }
}

/** A chart of each kind and the table, beside what the weights `shares` make expect. */
function describe(
  spreads: readonly Spread[],
  shares: readonly number[],
  course: readonly number[] = [],
): { charts: Chart[]; tables: Table[] } {
  const whole = shares.reduce((sum, one) => sum + one, 0)
  const expected = shares.map((one) => (callsEach * one) / whole)
  return {
    charts: spreads.map(({ kind, counts }) => barsOf(kind, counts, expected)),
    tables: [
      {
        title: 'Calls that each replica answered',
        heading: ['', ...replicaNames, 'failed'],
        rows: [
          ...spreads.map(({ kind, calls, counts }) => [
            kind,
            ...counts,
            calls.filter(({ replica }) => replica === undefined).length,
          ]),
          ['expected', ...expected.map((one) => Number(one.toFixed(1))), 0],
          ...(course.length === 0 ? [] : [['the course’s document', ...course, '']]),
        ],
      },
    ],
  }
}

function barsOf(title: string, counts: readonly number[], expected?: readonly number[]): Chart {
  const rows = replicaNames.map((label, index) => {
    const mark = expected?.[index]
    const row = { label, value: counts[index] ?? 0 }
    return mark === undefined ? row : { ...row, expected: mark }
  })
  return { kind: 'bars', title, unit: 'calls', rows }
}

function sayShares({ kind, counts }: Spread): string {
  return `${kind}: ${counts.join(' / ')}`
}

export function sayAnswered({ kind, calls }: Pick<Spread, 'kind' | 'calls'>): Claim {
  const failed = calls.filter(({ replica }) => replica === undefined).length
  return {
    says: `${kind}: ${shown(calls.length - failed)} of ${shown(calls.length)} were answered${failuresOf(calls)}`,
    holds: failed === 0,
  }
}

function sayEven({ kind, counts }: Spread): Claim {
  const apart = Math.max(...counts) - Math.min(...counts)
  return { says: `${kind}: no replica is more than one call ahead of another`, holds: apart <= 1 }
}

function share(count = 0, all: number): string {
  return `${((100 * count) / all).toFixed(1)} %`
}
