import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Lab } from './lab.ts'
import { freePorts } from './ports.ts'
import { cpuTimeBetween, cpuTimeOf } from './process-usage.ts'
import { runProgram, type Started, startProgram, waitForPort } from './processes.ts'
import { findProgram } from './programs.ts'

/** Commands of one measurement. */
const additions = 200_000
const searches = 20_000

/** A Redis that runs, and what it is asked to do. */
export interface Redis {
  /** Microseconds of processor time per GEOADD of one member. */
  add(connections: number): Promise<{ perSecond: number; cpuMicros: number }>
  /** The same per GEOSEARCH with distances, nearest first, and how many members one finds. */
  search(
    connections: number,
    radiusKm: number,
  ): Promise<{ perSecond: number; cpuMicros: number; hits: number }>
  /** Adds members spread evenly over the globe. */
  fill(members: number): Promise<void>
  stop(): Promise<void>
}

/** Tells whether Redis and its load generator are installed. */
export function redisPrograms(): boolean {
  return findProgram('redis-server') !== undefined && findProgram('redis-benchmark') !== undefined
}

/** Starts a Redis without persistence on the measured core. */
export async function startRedis(lab: Lab): Promise<Redis> {
  const [port = 0] = await freePorts(1)
  const server = await startProgram(lab, {
    command: 'redis-server',
    args: ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'],
    core: lab.measuredCore,
  })
  await waitForPort(port, server)
  const generate = (connections: number, count: number, range: number, words: readonly string[]) =>
    generateLoad(lab, server, { port, connections, count, range, words })
  return {
    stop: server.stop,
    fill: (members) => fill(port, members),
    add: (connections) =>
      generate(connections, additions, 100_000, [
        ...['GEOADD', 'moving', '-118.445127', '34.068930', 'c__rand_int__'],
      ]),
    async search(connections, radiusKm) {
      const around = ['BYRADIUS', String(radiusKm), 'km', 'ASC', 'WITHDIST']
      const from = ['GEOSEARCH', 'globe', 'FROMLONLAT', '__rand_int__', '34']
      const load = await generate(connections, searches, 180, [...from, ...around])
      return { ...load, hits: await hitsOf(port, radiusKm) }
    },
  }
}

/** Redis' own load generator: each connection waits for its answer before the next command. */
async function generateLoad(
  lab: Lab,
  server: Started,
  load: {
    port: number
    connections: number
    count: number
    range: number
    words: readonly string[]
  },
): Promise<{ perSecond: number; cpuMicros: number }> {
  const { port, connections, count, range, words } = load
  const before = cpuTimeOf(server.pid)
  const numbers = ['-p', port, '-c', connections, '-n', count, '-r', range].map(String)
  const output = await runProgram(lab, {
    command: 'redis-benchmark',
    args: [...numbers, '--csv', ...words],
    core: lab.loadCore,
  })
  const { user, system } = cpuTimeBetween(before, cpuTimeOf(server.pid))
  // A heading, then the command, requests a second and latencies, all in quotes.
  const perSecond = Number(/","([\d.]+)"/.exec(output)?.[1] ?? Number.NaN)
  return { perSecond, cpuMicros: ((user + system) / count) * 1e6 }
}

async function fill(port: number, members: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  const perCommand = 1_000
  for (let first = 0; first < members; first += perCommand) {
    const words = ['GEOADD', 'globe']
    for (let member = first; member < first + perCommand; member++) {
      const latitude = (Math.asin(Math.random() * 1.99 - 0.995) * 180) / Math.PI
      const within = Math.max(-85, Math.min(85, latitude))
      words.push(`${Math.random() * 360 - 180}`, `${within}`, `client${member}`)
    }
    await ask(socket, words)
  }
  socket.destroy()
}

/** How many members a search finds on average. */
async function hitsOf(port: number, radiusKm: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  let hits = 0
  for (let longitude = 0; longitude < 180; longitude += 3) {
    const from = ['FROMLONLAT', String(longitude), '34', 'BYRADIUS', String(radiusKm), 'km']
    hits += Number(/^\*(\d+)/.exec(await ask(socket, ['GEOSEARCH', 'globe', ...from]))?.[1] ?? 0)
  }
  socket.destroy()
  return hits / 60
}

/** Sends one command and returns the begin of its answer, when its first piece is there. */
async function ask(socket: Socket, words: readonly string[]): Promise<string> {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  socket.write(`*${words.length}\r\n${parts.join('')}`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  return first.toString('latin1')
}
