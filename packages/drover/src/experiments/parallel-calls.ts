import { type Call, type Caller, callMany, countByReplica, createClient } from './calls.ts'
import { pipelineSetup, replicaNames, startPipeline } from './pipeline.ts'
import { sayAnswered } from './policies.ts'
import type { Report } from './report.ts'
import type { Run } from './run.ts'
import { quantile } from './statistics.ts'

const parallels = [1, 4, 16, 64, 256] as const

interface Measured {
  readonly kind: string
  readonly parallel: number
  readonly calls: readonly Call[]
  readonly counts: readonly number[]
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Many calls at the same time: how many a second, how long each waits, and who answers them. */
export async function runParallelCalls({ stage, progress, isQuick }: Run): Promise<Report> {
  progress.step('starting the pipeline')
  const { lab, token, site } = await startPipeline(stage, { policy: 'round-robin', workers: 1 })
  const client = await stage.open(async () => createClient(lab.url))
  const kinds: readonly [string, Caller, number][] = [
    ['/test_endpoint', client.test, isQuick ? 256 : 4_000],
    ['submissions', client.submit(token, site.url), isQuick ? 256 : 1_500],
  ]
  const seen: Measured[] = []
  for (const [kind, caller, count] of kinds)
    for (const parallel of parallels) {
      progress.step(`${kind}: ${count} calls, ${parallel} at a time`)
      seen.push(measure(kind, parallel, await callMany(caller, count, parallel)))
    }
  return reportOf(
    kinds.map(([kind, , count]) => ({ kind, count })),
    seen,
  )
}

function measure(kind: string, parallel: number, calls: readonly Call[]): Measured {
  const times = calls.map(({ sentMs, answeredMs }) => answeredMs - sentMs)
  const beganMs = Math.min(...calls.map(({ sentMs }) => sentMs))
  const endedMs = Math.max(...calls.map(({ answeredMs }) => answeredMs))
  return {
    ...{ kind, parallel, calls, counts: countByReplica(calls, replicaNames) },
    perSecond: calls.length / ((endedMs - beganMs) / 1_000),
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  }
}

function reportOf(
  kinds: readonly { readonly kind: string; readonly count: number }[],
  seen: readonly Measured[],
): Report {
  const of = (kind: string) => seen.filter((one) => one.kind === kind)
  const best = kinds.map(({ kind }) =>
    of(kind).reduce((one, other) => (other.perSecond > one.perSecond ? other : one)),
  )
  const points = parallels.map(String)
  const axis = 'calls at a time'
  return {
    question: 'What do many calls at the same time do to the rate, to the wait, and to the shares?',
    findings: best.map(
      ({ kind, parallel, perSecond, p99Ms }) =>
        `${kind}: most are answered with ${parallel} at a time, ${rounded(perSecond)} a second; 99 % of them within ${p99Ms.toFixed(0)} ms`,
    ),
    claims: [
      sayAnswered({ kind: 'all together', calls: seen.flatMap(({ calls }) => calls) }),
      {
        says: 'whatever the number at a time, no replica answers over 1 % more of the calls than another',
        holds: seen.every(
          ({ counts, calls }) => Math.max(...counts) - Math.min(...counts) <= calls.length / 100,
        ),
      },
    ],
    charts: [
      {
        kind: 'lines',
        title: 'Answers a second',
        unit: 'calls/s',
        axis,
        points,
        series: kinds.map(({ kind }) => ({
          name: kind,
          values: of(kind).map(({ perSecond }) => perSecond),
        })),
      },
      {
        kind: 'lines',
        title: 'Until the answer',
        unit: 'ms',
        axis,
        points,
        series: kinds.flatMap(({ kind }) => [
          { name: `${kind}, half within`, values: of(kind).map(({ p50Ms }) => p50Ms) },
          { name: `${kind}, 99 % within`, values: of(kind).map(({ p99Ms }) => p99Ms) },
        ]),
      },
    ],
    tables: [
      {
        title: 'Calls',
        heading: ['', 'at a time', 'calls', 'a second', 'p50, ms', 'p99, ms', ...replicaNames],
        rows: seen.map(({ kind, parallel, calls, perSecond, p50Ms, p99Ms, counts }) => [
          kind,
          parallel,
          calls.length,
          Math.round(perSecond),
          Number(p50Ms.toFixed(1)),
          Number(p99Ms.toFixed(1)),
          ...counts,
        ]),
      },
    ],
    setup: [
      pipelineSetup,
      `Policy round-robin, the door in a process of its own; ${kinds.map(({ kind, count }) => `${count} ${kind}`).join(', ')} for each number at a time, one connection each`,
      'A submission is answered when the queue has it on disk; those at the same time share a write. The jobs are done meanwhile, and take their part of the machine',
    ],
  }
}

function rounded(value: number): string {
  return Math.round(value).toLocaleString('en')
}
