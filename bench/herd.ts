import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createTopology, type Topology } from '@drover/herd'
import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { cpuTimeBetween, cpuTimeOf } from './lab/process-usage.ts'
import {
  nodeProgram,
  runProgram,
  type Started,
  startProgram,
  waitForPort,
} from './lab/processes.ts'
import { findProgram } from './lab/programs.ts'
import { gaugeRedis, type RedisFigures, redisPrograms } from './lab/redis.ts'
import { median, tableLines } from './lab/table.ts'

const rounds = 3
const seconds = 3
const connections = 50

/** What one run of updates has shown. */
interface Rate {
  readonly perSecond: number
  /** Answers per second of processor time that the server used. */
  readonly perCpuSecond: number
}

interface Inner {
  readonly residentBytes: number
  readonly movesBare: number
  readonly movesFenced: number
  readonly query: { readonly perSecond: number; readonly hits: number; readonly slowestMs: number }
}

/** The herd against an asyncio herd and Redis: updates, flooding, memory, fences, queries. */
export const herd: Claim = {
  name: 'herd',
  about: 'updates, flooding, memory, fences and radius queries; peers asyncio and Redis',
  async run(lab) {
    const redis = redisPrograms() ? await gaugeRedis(lab, connections) : undefined
    if (!redis) lab.print('Redis is not installed (Debian: redis-server): its figures are missing')
    await printUpdates(lab, redis)
    await printFlood(lab)
    await printResync(lab)
    await printInner(lab, redis)
  },
}

async function printUpdates(lab: Lab, redis: RedisFigures | undefined): Promise<void> {
  const ours = await measureUpdates(lab, 1, (port) => startOurs(lab, port))
  const pipelined = await measureUpdates(lab, 16, (port) => startOurs(lab, port))
  const asyncio = await measureUpdates(lab, 1, (port) => startAsyncio(lab, port))
  const row = (name: string, rate: Rate): string[] => [
    name,
    thousands(rate.perSecond),
    thousands(rate.perCpuSecond),
    (ours.perCpuSecond / rate.perCpuSecond).toFixed(2),
  ]
  const rows = [
    row('drover, log on', ours),
    row('drover, log on, 16 lines at a time', pipelined),
    ...(asyncio ? [row('asyncio, log on', asyncio)] : []),
    ...(redis ? [row('Redis GEOADD', redis.add)] : []),
  ]
  lab.print(`updates answered, ${connections} connections, one server on one core`)
  const header = ['', 'a second', 'a CPU second', 'drover ×']
  for (const line of tableLines([header, ...rows])) lab.print(line)
  lab.print('goal: 100 k a CPU second, 8 × asyncio, 1 × Redis GEOADD')
  lab.print()
}

async function measureUpdates(
  lab: Lab,
  depth: number,
  start: (port: number) => Promise<Started>,
): Promise<Rate> {
  const runs: Rate[] = []
  for (let round = 1; round <= rounds; round++) {
    lab.progress(`updates, round ${round} of ${rounds}`)
    const [port = 0] = await freePorts(1)
    const server = await start(port)
    await waitForPort(port, server)
    await load(lab, port, depth, 1, 0)
    const before = cpuTimeOf(server.pid)
    const { answered, perSecond } = await load(lab, port, depth, seconds, 100_000_000)
    const { user, system } = cpuTimeBetween(before, cpuTimeOf(server.pid))
    runs.push({ perSecond, perCpuSecond: answered / (user + system) })
    await server.stop()
  }
  return {
    perSecond: median(runs.map((run) => run.perSecond)),
    perCpuSecond: median(runs.map((run) => run.perCpuSecond)),
  }
}

async function load(
  lab: Lab,
  port: number,
  depth: number,
  forSeconds: number,
  firstLine: number,
): Promise<{ answered: number; perSecond: number }> {
  const words = [port, connections, depth, forSeconds, firstLine].map(String)
  const program = { ...nodeProgram('peers/herd-load.js', words), core: lab.loadCore }
  return JSON.parse(await runProgram(lab, program))
}

function startOurs(lab: Lab, port: number): Promise<Started> {
  const [peers = 0] = [port > 50_000 ? port - 10_000 : port + 10_000]
  const plain = createTopology('bench', { Clark: port }, [])
  const servers = plain.servers.map((server) => ({
    ...server,
    peers: { host: '127.0.0.1', port: peers },
  }))
  return startSubject(lab, 'Clark', { ...plain, servers }, lab.measuredCore)
}

function startSubject(
  lab: Lab,
  name: string,
  topology: Topology,
  core: number | undefined,
): Promise<Started> {
  const logs = join(lab.directory, 'logs')
  mkdirSync(logs, { recursive: true })
  const words = [name, JSON.stringify(topology), logs]
  return startProgram(lab, { ...nodeProgram('peers/herd-subject.js', words), core })
}

function startAsyncio(lab: Lab, port: number): Promise<Started> {
  const python = findProgram('python3')
  if (!python) throw new Error('python3 is not installed')
  const script = new URL('../peers/herd-asyncio.py', import.meta.url).pathname
  const args = [script, String(port), join(lab.directory, 'asyncio.log')]
  return startProgram(lab, { command: python, args, core: lab.measuredCore })
}

async function printFlood(lab: Lab): Promise<void> {
  const names = ['Bailey', 'Bona', 'Campbell', 'Clark', 'Jaquez']
  const ports = await freePorts(15)
  const plain = createTopology(
    'flood',
    Object.fromEntries(names.map((name, index) => [name, ports[index] ?? 0])),
    [
      ['Clark', 'Jaquez'],
      ['Clark', 'Bona'],
      ['Campbell', 'Bailey'],
      ['Campbell', 'Bona'],
      ['Campbell', 'Jaquez'],
      ['Bona', 'Bailey'],
    ],
  )
  const servers = plain.servers.map((server, index) => ({
    ...server,
    peers: { host: '127.0.0.1', port: ports[index + 5] ?? 0 },
    http: { host: '127.0.0.1', port: ports[index + 10] ?? 0 },
  }))
  const topology = { ...plain, servers }
  const started = await Promise.all(
    names.map((name) => startSubject(lab, name, topology, undefined)),
  )
  for (const [index, server] of started.entries()) await waitForPort(ports[index + 10] ?? 0, server)
  lab.print(
    'five servers flooding on this machine, clients at Clark; ms from answer to last server',
  )
  const rows: string[][] = []
  for (const rate of [1_000, 5_000]) {
    lab.progress(`flooding ${rate} a second`)
    const words = [ports[3], rate, 5, ...ports.slice(10)].map(String)
    const output = await runProgram(lab, nodeProgram('peers/herd-flood.js', words))
    const { total, everywhere, p50Ms, p99Ms } = JSON.parse(output)
    rows.push([`${rate} a second`, `${everywhere} of ${total}`, p50Ms.toFixed(1), p99Ms.toFixed(1)])
  }
  for (const line of tableLines([['', 'everywhere', 'p50', 'p99'], ...rows])) lab.print(line)
  lab.print('goal: every update everywhere, p99 at most 5 ms at 5,000 a second')
  lab.print()
  for (const server of started) await server.stop()
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

async function printInner(lab: Lab, redis: RedisFigures | undefined): Promise<void> {
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
    `moves with 23,000 fences: ${thousands(movesFenced)} a second, ${slower} × slower than with none`,
  )
  lab.print('goal: 2 × (the state alone; a move that comes by TCP hides most of it)')
  const [hits, slowest] = [query.hits.toFixed(0), query.slowestMs.toFixed(2)]
  lab.print(
    `radius query, ${hits} hits of 1,000,000: ${thousands(query.perSecond)} a second, slowest ${slowest} ms`,
  )
  if (redis)
    lab.print(
      `Redis GEOSEARCH, ${redis.search.hits.toFixed(0)} hits of 1,000,000: ${thousands(redis.search.perCpuSecond)} a CPU second (by TCP; ours is the call alone)`,
    )
  lab.print('goal: at most 1 ms, 1 × Redis GEOSEARCH')
}

function thousands(value: number): string {
  return `${(value / 1_000).toFixed(1)} k`
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
