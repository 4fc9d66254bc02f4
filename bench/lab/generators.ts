import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

/** Latencies of one run at a chosen rate, in µs, and the requests a second that it really had. */
export interface PacedRun {
  readonly perSecond: number
  readonly errors: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/**
 * Sends about `perSecond` requests a second from the load's core: each connection rests after an
 * answer, for a whole number of ms drawn by chance, so that requests come in bursts at each ms.
 * Without wrk our own generator sends them evenly spaced, which costs the core more.
 */
export async function pace(
  lab: Lab,
  load: { url: string; connections: number; seconds: number; perSecond: number },
): Promise<PacedRun> {
  const { url, connections, seconds, perSecond } = load
  if (findProgram('wrk') === undefined) return paceEvenly(lab, load)
  const script = join(lab.directory, 'pace.lua')
  const restMs = (connections / perSecond) * 1_000
  writeFileSync(script, paceScript(Math.max(1, Math.round(2 * restMs))))
  const output = await runProgram(lab, {
    command: 'wrk',
    args: ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url],
    core: lab.loadCore,
  })
  const line = output.split('\n').find((text) => text.startsWith('{"paced"'))
  if (line === undefined) throw new Error(`wrk said something else: ${output}`)
  return (JSON.parse(line) as { paced: PacedRun }).paced
}

/** For wrk, which runs Lua: rests of 0 to `mostMs`, and a line of JSON at the end. */
function paceScript(mostMs: number): string {
  return `
math.randomseed(os.time())
function delay() return math.random(0, ${mostMs}) end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"paced":{"perSecond":%f,"errors":%d,"p50":%d,"p99":%d,"p999":%d}}\\n',
    summary.requests / summary.duration * 1e6,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
`
}

async function paceEvenly(
  lab: Lab,
  load: { url: string; connections: number; seconds: number; perSecond: number },
): Promise<PacedRun> {
  const { url, connections, seconds, perSecond } = load
  const result = await runPinned(lab, {
    url,
    connections,
    ratePerSecond: perSecond,
    durationMs: seconds * 1_000,
  })
  const micros = (percent: number) => result.latencies.percentile(percent) * 1_000
  return {
    perSecond: (result.answered / result.elapsedMs) * 1_000,
    errors: result.sent - result.answered + result.unsent,
    p50: micros(50),
    p99: micros(99),
    p999: micros(99.9),
  }
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
