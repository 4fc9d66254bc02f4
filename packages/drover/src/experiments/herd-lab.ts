import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Topology } from '@drover/herd'
import { type Address, formatAddress, randomToken } from '@drover/kernel'
import { freePorts } from '../free-ports.ts'
import { ownCommand } from '../own-command.ts'
import type { Stage, Stoppable } from './stage.ts'
import { until } from './until.ts'

const readyMsMax = 30_000

/** The servers of a topology, each a process, on free ports. */
export interface HerdLab extends Stoppable {
  readonly names: readonly string[]
  readonly links: Topology['links']
  /** Whether servers tell each other what they missed. */
  readonly sync: boolean
  server(name: string): HerdServer
  /** Kills a server as a crash would, and resolves when it has ended. */
  kill(name: string): Promise<void>
  /** Starts a server that was killed, and resolves when it is linked with all its neighbours that live. */
  revive(name: string): Promise<void>
}

/** Where one server is. */
export interface HerdServer {
  readonly name: string
  /** For clients: the line protocol. */
  readonly address: Address
  readonly http: Address
}

/** A server's own view of its links, as far as experiments look at it. */
interface LinksView {
  readonly links: readonly { readonly peer: string; readonly sentRecords: number }[]
}

/** Starts every server of a topology; what it logs goes with the stage's folder. */
export async function startHerd(
  stage: Stage,
  topology: Topology,
  wish: { readonly sync: boolean },
): Promise<HerdLab> {
  const folder = await stage.folder()
  const names = topology.servers.map(({ name }) => name)
  const servers = await placesFor(names)
  const keyFile = join(folder, 'key')
  await writeFile(keyFile, randomToken(), { mode: 0o600 })
  const file = join(folder, 'herd.yaml')
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ ...fileOf(topology, servers), keyFile, sync: wish.sync }))
  const children = new Map<string, ChildProcess>()
  const launch = (name: string) => {
    const words = ['herd', 'serve', name, '--topology', file, '--logs', join(folder, 'logs')]
    const [program = '', ...rest] = ownCommand(...words, '--with-parent')
    // The pipe on standard input ends with this process, and the child with it.
    children.set(name, spawn(program, rest, { stdio: ['pipe', 'ignore', 'ignore'] }))
  }
  const lab: HerdLab = {
    names,
    links: topology.links,
    sync: wish.sync,
    server(name) {
      const server = servers.get(name)
      if (!server) throw new TypeError(`the herd has no server ${name}`)
      return server
    },
    async kill(name) {
      await end(children.get(name), 'SIGKILL')
      children.delete(name)
    },
    async revive(name) {
      launch(name)
      await until(`${name} is linked`, readyMsMax, () => isLinked(lab, name, [...children.keys()]))
    },
    async stop() {
      await Promise.all([...children.values()].map((child) => end(child, 'SIGKILL')))
      children.clear()
    },
  }
  await stage.open(async () => lab)
  for (const name of names) launch(name)
  const areLinked = async () => {
    const linked = await Promise.all(names.map((name) => isLinked(lab, name, names)))
    return linked.every((holds) => holds)
  }
  await until('the servers of the herd are linked', readyMsMax, areLinked)
  return lab
}

/** Returns the neighbours of a server. */
export function neighboursOf(links: Topology['links'], name: string): string[] {
  return links.filter((link) => link.includes(name)).map(([one, two]) => (one === name ? two : one))
}

/** How many records a server has sent over its links since they came up. */
export async function sentRecords({ http }: HerdServer): Promise<number> {
  const status = await ask<LinksView>(http, '/v1/status')
  return status?.links.reduce((sum, link) => sum + link.sentRecords, 0) ?? 0
}

/** What a server knows of a client; undefined when it knows nothing. */
export function clientAt(
  { http }: HerdServer,
  client: string,
): Promise<{ readonly server: string } | undefined> {
  return ask(http, `/v1/clients/${encodeURIComponent(client)}`)
}

type Place = HerdServer & { readonly peers: Address }

async function placesFor(names: readonly string[]): Promise<ReadonlyMap<string, Place>> {
  const ports = await freePorts(3 * names.length)
  const at = (port = 0): Address => ({ host: '127.0.0.1', port })
  return new Map(
    names.map((name, index) => {
      const [address, peers, http] = ports.slice(3 * index).map(at)
      return [name, { name, address: address ?? at(), peers: peers ?? at(), http: http ?? at() }]
    }),
  )
}

function fileOf({ name, links }: Topology, places: ReadonlyMap<string, Place>) {
  const servers = [...places].map(([server, { address, peers, http }]) => {
    const all = { address, peers, http }
    const texts = Object.entries(all).map(([key, value]) => [key, formatAddress(value)])
    return [server, Object.fromEntries(texts)]
  })
  return { name, links, servers: Object.fromEntries(servers) }
}

/** Whether a server answers and has a link to each neighbour that is among `living`. */
async function isLinked(lab: HerdLab, name: string, living: readonly string[]): Promise<boolean> {
  const status = await ask<LinksView>(lab.server(name).http, '/v1/status')
  const linked = new Set(status?.links.map(({ peer }) => peer))
  const wanted = neighboursOf(lab.links, name).filter((other) => living.includes(other))
  return status !== undefined && wanted.every((other) => linked.has(other))
}

/** GET of a server's HTTP API; undefined while it is not there, and for 404. */
async function ask<Answer>(http: Address, path: string): Promise<Answer | undefined> {
  const response = await fetch(`http://${formatAddress(http)}${path}`).catch(() => undefined)
  return response?.ok ? ((await response.json()) as Answer) : undefined
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}
