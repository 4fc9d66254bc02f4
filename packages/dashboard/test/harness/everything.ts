import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../../../drover/bin/drover.js', import.meta.url))
const sample = fileURLToPath(
  new URL('../../../../../examples/home-server/server.js', import.meta.url),
)

/** Whom the jobs of a test instance let in. */
export const jobsLogin = { email: 'admin@drover.test', password: 'a long enough password' }

/** The words that run this very command. */
const self = (...words: string[]) => [process.execPath, bin, ...words]

/** A service that answers plain requests, and a listener before it; 0 takes a free port. */
export function webConfig(port = 0) {
  return {
    services: {
      web: {
        command: [process.execPath, sample],
        replicas: 3,
        health: { path: '/heartbeat', interval: '500ms' },
      },
    },
    listeners: [{ address: `127.0.0.1:${port}`, service: 'web' }],
  }
}

/** Returns free ports; whoever takes one of them in the same moment makes the test fail. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** A queue: a manager and two brokers. */
export function queueConfig(tcp: number, name = 'queue') {
  const words = ['queue', 'serve', '--brokers', '2', '--data', name]
  return {
    [name]: {
      command: self(...words, '--listen', '127.0.0.1:{port}', '--tcp', `127.0.0.1:${tcp}`),
      part: 'queue',
      replicas: 1,
      restart: 'stop-first',
      health: { path: '/health' },
    },
  }
}

/** API and steps of the jobs in one process, with a queue of their own. */
export function jobsConfig(webPort: number) {
  return {
    jobs: {
      command: self(
        ...['jobs', 'serve', '--data', 'jobs', '--listen', '127.0.0.1:{port}'],
        ...['--allow', `127.0.0.1:${webPort}`],
      ),
      env: {
        DROVER_JOBS_ADMIN_EMAIL: jobsLogin.email,
        DROVER_JOBS_ADMIN_PASSWORD: jobsLogin.password,
      },
      part: 'jobs',
      replicas: 1,
      restart: 'stop-first',
      health: { path: '/v1/health' },
    },
  }
}

/** The chunk service with one backend of its own. */
export function chunksConfig() {
  const words = ['chunks', 'serve', '--backends', '1', '--data', 'chunks']
  return {
    chunks: {
      command: self(...words, '--listen', '127.0.0.1:{port}'),
      part: 'chunks',
      replicas: 1,
      restart: 'stop-first',
      health: { path: '/healthz', timeout: '20s' },
    },
  }
}

/** Servers of a herd in a row: Ann, Bob, Cid. Their topology lies in a file until the test ends. */
export async function herdConfig(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'drover-herd-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const topologyFile = join(folder, 'herd.yaml')
  const names = ['Ann', 'Bob', 'Cid']
  const ports = await freePorts(names.length * 2)
  const servers = Object.fromEntries(
    names.map((name, index) => [
      name,
      { address: `127.0.0.1:${ports[index * 2]}`, peers: `127.0.0.1:${ports[index * 2 + 1]}` },
    ]),
  )
  const links = [
    ['Ann', 'Bob'],
    ['Bob', 'Cid'],
  ]
  const services = names.map((name) => {
    const words = ['herd', 'serve', name, '--topology', topologyFile, '--logs', 'herd-logs']
    const command = self(...words, '--http', '127.0.0.1:{port}')
    const health = { path: '/v1/status' }
    return [
      name.toLowerCase(),
      { command, part: 'herd', replicas: 1, restart: 'stop-first', health },
    ]
  })
  writeFileSync(topologyFile, JSON.stringify({ name: 'row', servers, links }))
  return { services: Object.fromEntries(services), linePort: ports[0] ?? 0 }
}
