import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createTopology, type Topology } from '@drover/herd'
import type { Lab } from './lab.ts'
import { freePorts } from './ports.ts'
import { nodeProgram, type Started, startProgram, waitForPort } from './processes.ts'
import { findProgram } from './programs.ts'

/** The herd of the course, in the order of its ports. */
const names = ['Bailey', 'Bona', 'Campbell', 'Clark', 'Jaquez']
const links = [
  ['Clark', 'Jaquez'],
  ['Clark', 'Bona'],
  ['Campbell', 'Bailey'],
  ['Campbell', 'Bona'],
  ['Campbell', 'Jaquez'],
  ['Bona', 'Bailey'],
] as const

/** Servers that run, one of which clients talk to. */
export interface RunningHerd {
  /** Where the clients connect. */
  readonly port: number
  readonly servers: readonly Started[]
  /** The HTTP ports, where there are any. */
  readonly httpPorts: readonly number[]
  stop(): Promise<void>
}

/** Starts one server of ours, its log on. */
export async function startAlone(lab: Lab, hasHttp = false): Promise<RunningHerd> {
  const topology = await onFreePorts(createTopology('bench', { Clark: 1 }, []), hasHttp)
  return running([await startOurs(lab, 'Clark', topology, lab.measuredCore)], topology, 'Clark')
}

/** Starts the five of ours, logs on, wherever the system likes; clients talk to Clark. */
export async function startFive(lab: Lab, hasHttp = false): Promise<RunningHerd> {
  const ports = Object.fromEntries(names.map((name, index) => [name, index + 1]))
  const topology = await onFreePorts(createTopology('bench', ports, links), hasHttp)
  const servers = await Promise.all(names.map((name) => startOurs(lab, name, topology, undefined)))
  return running(servers, topology, 'Clark')
}

/** Starts one server of the asyncio herd. */
export async function startAsyncioAlone(lab: Lab): Promise<RunningHerd> {
  const [port = 0] = await freePorts(1)
  const server = await startAsyncio(lab, 'Clark', port, [], lab.measuredCore)
  await waitForPort(port, server)
  return { port, servers: [server], httpPorts: [], stop: server.stop }
}

/** Starts a server that answers each line with the same: what Node and the system cost at least. */
export async function startBare(lab: Lab): Promise<RunningHerd> {
  const [port = 0] = await freePorts(1)
  const program = nodeProgram('peers/herd-bare.js', [String(port)])
  const server = await startProgram(lab, { ...program, core: lab.measuredCore })
  await waitForPort(port, server)
  return { port, servers: [server], httpPorts: [], stop: server.stop }
}

/** Starts five of the asyncio herd; clients talk to Clark. */
export async function startAsyncioFive(lab: Lab): Promise<RunningHerd> {
  const ports = await freePorts(names.length)
  const portOf = (name: string) => ports[names.indexOf(name)] ?? 0
  const servers = await Promise.all(
    names.map((name) => {
      const near = links.filter((link) => link.some((end) => end === name))
      const others = near.map(([one, other]) => portOf(one === name ? other : one))
      return startAsyncio(lab, name, portOf(name), others, undefined)
    }),
  )
  for (const [index, server] of servers.entries()) await waitForPort(ports[index] ?? 0, server)
  return { port: portOf('Clark'), servers, httpPorts: [], stop: () => stopAll(servers) }
}

async function onFreePorts(plain: Topology, hasHttp: boolean): Promise<Topology> {
  const count = plain.servers.length
  const ports = await freePorts(count * 3)
  const at = (index: number) => ({ host: '127.0.0.1', port: ports[index] ?? 0 })
  const servers = plain.servers.map((server, index) => ({
    ...server,
    address: at(index),
    peers: at(index + count),
    ...(hasHttp && { http: at(index + 2 * count) }),
  }))
  return { ...plain, servers }
}

function startOurs(
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

function startAsyncio(
  lab: Lab,
  name: string,
  port: number,
  neighbours: readonly number[],
  core: number | undefined,
): Promise<Started> {
  const python = findProgram('python3')
  if (!python) throw new Error('python3 is not installed')
  const script = new URL('../../peers/herd-asyncio.py', import.meta.url).pathname
  const log = join(lab.directory, `asyncio-${name}.log`)
  const args = [script, name, String(port), log, ...neighbours.map(String)]
  return startProgram(lab, { command: python, args, core })
}

async function running(
  servers: readonly Started[],
  topology: Topology,
  name: string,
): Promise<RunningHerd> {
  const httpPorts: number[] = []
  for (const [index, { address, http }] of topology.servers.entries()) {
    await waitForPort((http ?? address).port, servers[index] as Started)
    if (http) httpPorts.push(http.port)
  }
  const port = topology.servers.find((server) => server.name === name)?.address.port ?? 0
  return { port, servers, httpPorts, stop: () => stopAll(servers) }
}

async function stopAll(servers: readonly Started[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
}
