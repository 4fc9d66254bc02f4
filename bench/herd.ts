import type { Claim } from './lab/claim.ts'
import {
  type Contender,
  cpuSecondsOf,
  measureInTurns,
  measureUpdates,
  type Rate,
} from './lab/herd-rates.ts'
import {
  type RunningHerd,
  startAlone,
  startAsyncioAlone,
  startAsyncioFive,
  startBare,
  startFive,
} from './lab/herd-servers.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { nodeProgram, runProgram } from './lab/processes.ts'
import { findProgram } from './lab/programs.ts'
import { type Redis, redisPrograms, startRedis } from './lab/redis.ts'
import { tableLines } from './lab/table.ts'

const rounds = 5
const connections = 50
const depth = 16
const members = 1_000_000
/** About 120 of a million members spread evenly over the globe. */
const radiusKm = 140

interface Inner {
  readonly residentBytes: number
  readonly movesBare: number
  readonly movesFenced: number
  readonly query: { readonly perSecond: number; readonly hits: number; readonly p99Ms: number }
}

/** The herd against an asyncio herd and Redis: updates, flooding, memory, fences, queries. */
export const herd: Claim = {
  name: 'herd',
  about: 'updates, flooding, memory, fences and radius queries; peers asyncio and Redis',
  async run(lab) {
    const redis = redisPrograms() ? await startRedis(lab) : undefined
    if (!redis) lab.print('Redis is not installed (Debian: redis-server): its figures are missing')
    const hasPython = findProgram('python3') !== undefined
    if (!hasPython) lab.print('python3 is not installed: the asyncio herd is missing')
    await printAlone(lab, redis, hasPython)
    await printFive(lab, hasPython)
    await printFlood(lab)
    await printResync(lab)
    await printInner(lab)
    await printSearch(lab, redis)
  },
}

async function printAlone(lab: Lab, redis: Redis | undefined, hasPython: boolean): Promise<void> {
  const lines = (name: string, start: () => Promise<RunningHerd>, atATime: number): Contender => ({
    name: `${name}${atATime > 1 ? `, ${atATime} lines at a time` : ''}`,
    measure: () => measureUpdates(lab, start, { connections, depth: atATime }),
  })
  lab.print(`updates answered, ${connections} connections, one server on one core`)
  await printRates(lab, [
    lines('drover, log on', () => startAlone(lab), 1),
    ...(hasPython ? [lines('asyncio, log on', () => startAsyncioAlone(lab), 1)] : []),
    ...(redis ? [{ name: 'Redis GEOADD, no log', measure: () => redis.add(connections) }] : []),
    lines('Node that answers always the same', () => startBare(lab), 1),
  ])
  lab.print('goal: 100 k a CPU second, 8 × asyncio, 1 × Redis GEOADD')
  lab.print()
  await printRates(lab, [
    lines('drover, log on', () => startAlone(lab), depth),
    ...(hasPython ? [lines('asyncio, log on', () => startAsyncioAlone(lab), depth)] : []),
  ])
  lab.print()
}

async function printFive(lab: Lab, hasPython: boolean): Promise<void> {
  lab.print('updates answered by one of five servers that flood; processor time of all five')
  const load = { connections, depth: 1 }
  await printRates(lab, [
    { name: 'drover', measure: () => measureUpdates(lab, () => startFive(lab), load) },
    ...(hasPython
      ? [{ name: 'asyncio', measure: () => measureUpdates(lab, () => startAsyncioFive(lab), load) }]
      : []),
  ])
  lab.print('goal: 8 × asyncio')
  lab.print()
}

/** Prints a table of contenders; the first is the one that the others are compared with. */
async function printRates(lab: Lab, contenders: readonly Contender[]): Promise<void> {
  const rates = await measureInTurns(lab, contenders, rounds)
  const [first] = rates
  const row = ({ cpuMicros, perSecond }: Rate, index: number): string[] => [
    contenders[index]?.name ?? '',
    thousands(perSecond),
    cpuMicros.toFixed(1),
    thousands(1e6 / cpuMicros),
    (cpuMicros / (first?.cpuMicros ?? Number.NaN)).toFixed(2),
  ]
  const header = ['', 'a second', 'CPU µs each', 'a CPU second', 'drover ×']
  for (const line of tableLines([header, ...rates.map(row)])) lab.print(line)
}

async function printFlood(lab: Lab): Promise<void> {
  const five = await startFive(lab, true)
  lab.print(
    'five servers flooding on this machine, clients at Clark; ms from answer to last server',
  )
  const rows: string[][] = []
  for (const rate of [1_000, 5_000]) {
    lab.progress(`flooding ${rate} a second`)
    const words = [five.port, rate, 5, ...five.httpPorts].map(String)
    const output = await runProgram(lab, nodeProgram('peers/herd-flood.js', words))
    const { total, everywhere, p50Ms, p99Ms } = JSON.parse(output)
    rows.push([`${rate} a second`, `${everywhere} of ${total}`, p50Ms.toFixed(1), p99Ms.toFixed(1)])
  }
  for (const line of tableLines([['', 'everywhere', 'p50', 'p99'], ...rows])) lab.print(line)
  lab.print('goal: every update everywhere, p99 at most 5 ms at 5,000 a second')
  lab.print()
  await five.stop()
}

async function printResync(lab: Lab): Promise<void> {
  lab.progress('reconnect')
  const words = (await freePorts(4)).map(String)
  const { clients, ms } = JSON.parse(
    await runProgram(lab, nodeProgram('peers/herd-resync.js', words)),
  )
  lab.print(
    `${clients} clients after a reconnect, both servers on one core: in step after ${ms.toFixed(0)} ms`,
  )
  lab.print('goal: 1,000 ms')
  lab.print()
}

async function printInner(lab: Lab): Promise<void> {
  lab.progress('a million clients')
  const subject = nodeProgram('peers/herd-inner.js')
  const output = await runProgram(lab, {
    ...subject,
    args: ['--expose-gc', ...subject.args],
    core: lab.measuredCore,
  })
  const { residentBytes, movesBare, movesFenced, query } = JSON.parse(output) as Inner
  lab.print(`memory of a server's process with 1,000,000 clients: ${mebibytes(residentBytes)} MiB`)
  lab.print('goal: 300 MiB')
  const slower = (movesBare / movesFenced).toFixed(2)
  lab.print(
    `moves with 23,000 fences: ${thousands(movesFenced)} a CPU second, ${slower} × slower than with none`,
  )
  lab.print('goal: 2 × (the state alone; a move that comes by TCP hides most of it)')
  const [hits, p99] = [query.hits.toFixed(0), query.p99Ms.toFixed(2)]
  lab.print(
    `radius query, ${hits} hits of 1,000,000, the call alone: ${thousands(query.perSecond)} a CPU second, p99 ${p99} ms`,
  )
  lab.print('goal: at most 1 ms')
  lab.print()
}

/** Both over TCP, as many connections, the same hits: ids and distances, nearest first. */
async function printSearch(lab: Lab, redis: Redis | undefined): Promise<void> {
  lab.progress('a million clients to search')
  const alone = await startAlone(lab, true)
  await runProgram(lab, nodeProgram('peers/herd-fill.js', [alone.port, members].map(String)))
  await redis?.fill(members)
  let hits = 0
  const ours = async (): Promise<Rate> => {
    const words = [alone.httpPorts[0] ?? 0, connections, radiusKm, 2].map(String)
    const program = { ...nodeProgram('peers/herd-search.js', words), core: lab.loadCore }
    const before = cpuSecondsOf(alone)
    const told = JSON.parse(await runProgram(lab, program))
    hits = told.hits
    return {
      perSecond: told.perSecond,
      cpuMicros: ((cpuSecondsOf(alone) - before) / told.answered) * 1e6,
    }
  }
  let redisHits = Number.NaN
  const theirs = async (): Promise<Rate> => {
    const told = await (redis as Redis).search(connections, radiusKm)
    redisHits = told.hits
    return told
  }
  await ours()
  lab.print(`radius queries among ${members} clients, ${connections} connections, one core`)
  await printRates(lab, [
    { name: 'drover, WebSocket', measure: ours },
    ...(redis ? [{ name: 'Redis GEOSEARCH', measure: theirs }] : []),
  ])
  lab.print(`hits each: drover ${hits.toFixed(0)}, Redis ${redisHits.toFixed(0)}`)
  lab.print('goal: 1 × Redis')
  await alone.stop()
}

function thousands(value: number): string {
  return `${(value / 1_000).toFixed(1)} k`
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
