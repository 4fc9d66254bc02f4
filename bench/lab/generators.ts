import type { LoadPlan } from '../load.ts'
import type { LoadAnswer } from '../peers/load-process.ts'
import { Histogram } from './histogram.ts'
import type { Lab } from './lab.ts'
import { nodeProgram, runProgram } from './processes.ts'
import { findProgram } from './programs.ts'

/** What a generator tells about one run. */
export interface Run {
  readonly requests: number
  /** Requests without a 2xx or 3xx answer. */
  readonly errors: number
  readonly seconds: number
}

/**
 * Keeps `connections` requests under way for `seconds`, from the load's core: by wrk, which costs
 * that core the least, or by our own generator where wrk is not installed.
 */
export async function saturate(
  lab: Lab,
  load: { url: string; connections: number; seconds: number },
): Promise<Run> {
  const { url, connections, seconds } = load
  if (findProgram('wrk') === undefined) {
    const result = await runPinned(lab, { url, connections, durationMs: seconds * 1_000 })
    const errors = result.sent - result.answered
    return { requests: result.answered, errors, seconds: result.elapsedMs / 1_000 }
  }
  const output = await runProgram(lab, {
    command: 'wrk',
    args: ['-t1', `-c${connections}`, `-d${seconds}s`, url],
    core: lab.loadCore,
  })
  return parseWrk(output)
}

/** Runs our own generator in a process of its own on the load's core. */
export async function runPinned(
  lab: Lab,
  plan: Omit<LoadPlan, 'signal' | 'onAnswer' | 'body'>,
): Promise<Omit<LoadAnswer, 'latencies'> & { latencies: Histogram }> {
  const output = await runProgram(lab, {
    ...nodeProgram('peers/load-process.js', [JSON.stringify(plan)]),
    core: lab.loadCore,
  })
  const answer = JSON.parse(output) as LoadAnswer
  return { ...answer, latencies: Histogram.from(answer.latencies) }
}

function parseWrk(output: string): Run {
  const [, requests, seconds] = /(\d+) requests in ([\d.]+)s/.exec(output) ?? []
  if (requests === undefined) throw new Error(`wrk said something else: ${output}`)
  const failed = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)
  const errors = [failed, ...(broken?.slice(1) ?? [])].reduce<number>(
    (sum, count) => sum + Number(count),
    0,
  )
  return { requests: Number(requests), errors, seconds: Number(seconds) }
}
