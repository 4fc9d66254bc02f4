import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { HerdOptions, Topology } from '../src/index.ts'

/** A server of a herd in a process of its own. */
export interface ServerProcess {
  readonly name: string
  readonly child: ChildProcess
  readonly ports: { readonly clients: number; readonly peers: number; readonly http: number }
}

const program = fileURLToPath(new URL('./fixtures/serve.js', import.meta.url))

/** Starts a server and resolves when clients can connect. */
export async function startServer(
  name: string,
  topology: Topology,
  options: Partial<HerdOptions> & { keyText?: string } = {},
): Promise<ServerProcess> {
  const words = [name, JSON.stringify(topology), JSON.stringify(options)]
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const first = await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, 'data') as Promise<[Buffer]>,
    once(child, 'exit').then(([code]) => {
      throw new Error(`server ${name} ended with ${code} before it served`)
    }),
  ])
  return { name, child, ports: JSON.parse(String(first[0])) }
}

/** Asks a server which neighbours it is linked with. */
export async function linksOf({ child }: ServerProcess): Promise<string[]> {
  const answer = once(child.stdout as NodeJS.ReadableStream, 'data') as Promise<[Buffer]>
  child.stdin?.write('links\n')
  return JSON.parse(String((await answer)[0]))
}

/** Ends a server as a crash does. */
export async function killServer({ child }: ServerProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Returns as many ports of this machine that nobody uses now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Returns the topology with other ports, clients' and peers', so that tests do not meet. */
export async function onFreePorts(topology: Topology): Promise<Topology> {
  const ports = await freePorts(topology.servers.length * 2)
  const servers = topology.servers.map((server, index) => ({
    ...server,
    address: { host: '127.0.0.1', port: ports[index * 2] as number },
    peers: { host: '127.0.0.1', port: ports[index * 2 + 1] as number },
  }))
  return { ...topology, servers }
}
