import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Lab } from './lab.ts'
import { freePorts } from './ports.ts'
import { cpuTimeBetween, cpuTimeOf } from './process-usage.ts'
import { runProgram, type Started, startProgram, waitForPort } from './processes.ts'
import { findProgram } from './programs.ts'

const members = 1_000_000
const additions = 300_000
const searches = 20_000
/** About 120 of a million members spread evenly over the globe, at 34 degrees north. */
const radiusKm = 150

/** What Redis does on this machine, in the same run. */
export interface RedisFigures {
  readonly add: { readonly perSecond: number; readonly perCpuSecond: number }
  readonly search: { readonly perCpuSecond: number; readonly hits: number }
}

/** Tells whether Redis and its load generator are installed. */
export function redisPrograms(): boolean {
  return findProgram('redis-server') !== undefined && findProgram('redis-benchmark') !== undefined
}

/** Measures GEOADD, and GEOSEARCH among a million members, with Redis' own load generator. */
export async function gaugeRedis(lab: Lab, connections: number): Promise<RedisFigures> {
  const [port = 0] = await freePorts(1)
  lab.progress('Redis')
  const server = await startProgram(lab, {
    command: 'redis-server',
    args: ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'],
    core: lab.measuredCore,
  })
  await waitForPort(port, server)
  const generate = (count: number, words: readonly string[]) =>
    generateLoad(lab, server, port, { connections, count, words })
  const add = await generate(additions, [
    ...['GEOADD', 'moving', '-118.445127', '34.068930', 'c__rand_int__'],
  ])
  const hits = await fill(port)
  const search = await generate(searches, [
    ...['GEOSEARCH', 'globe', 'FROMLONLAT', '__rand_int__', '34'],
    ...['BYRADIUS', String(radiusKm), 'km', 'ASC', 'WITHDIST'],
  ])
  await server.stop()
  return { add, search: { perCpuSecond: search.perCpuSecond, hits } }
}

async function generateLoad(
  lab: Lab,
  server: Started,
  port: number,
  load: { connections: number; count: number; words: readonly string[] },
): Promise<{ perSecond: number; perCpuSecond: number }> {
  const before = cpuTimeOf(server.pid)
  const output = await runProgram(lab, {
    command: 'redis-benchmark',
    args: [
      ...['-p', String(port), '-c', String(load.connections), '-n', String(load.count)],
      ...['-r', load.words.includes('globe') ? '180' : '100000', '--csv', ...load.words],
    ],
    core: lab.loadCore,
  })
  const { user, system } = cpuTimeBetween(before, cpuTimeOf(server.pid))
  // A heading, then the command, requests a second and latencies, all in quotes.
  const perSecond = Number(/","([\d.]+)"/.exec(output)?.[1] ?? Number.NaN)
  return { perSecond, perCpuSecond: load.count / (user + system) }
}

/** Adds a million members over the globe, and returns how many a search finds on average. */
async function fill(port: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  const perCommand = 1_000
  for (let first = 0; first < members; first += perCommand) {
    const words = ['GEOADD', 'globe']
    for (let member = first; member < first + perCommand; member++) {
      const latitude = (Math.asin(Math.random() * 1.99 - 0.995) * 180) / Math.PI
      words.push(
        `${Math.random() * 360 - 180}`,
        `${Math.max(-85, Math.min(85, latitude))}`,
        `m${member}`,
      )
    }
    await ask(socket, words)
  }
  let hits = 0
  for (let search = 0; search < 50; search++) {
    const longitude = `${Math.random() * 180}`
    const from = ['FROMLONLAT', longitude, '34', 'BYRADIUS', String(radiusKm), 'km']
    hits += Number(/^\*(\d+)/.exec(await ask(socket, ['GEOSEARCH', 'globe', ...from]))?.[1] ?? 0)
  }
  socket.destroy()
  return hits / 50
}

/** Sends one command and returns the begin of its answer, which must be awaited in one piece. */
async function ask(socket: Socket, words: readonly string[]): Promise<string> {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  socket.write(`*${words.length}\r\n${parts.join('')}`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  return first.toString('latin1')
}
