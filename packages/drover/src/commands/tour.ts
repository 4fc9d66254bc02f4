import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describeError, Fault } from '@drover/kernel'
import { type Loaded, loadOptions } from '../config/load.ts'
import { findInstance, inUse, keptSecret, makeFolder } from '../data-folder.ts'
import { fault } from '../errors.ts'
import { ownCommand } from '../own-command.ts'
import { sampleServer } from '../sample-server.ts'
import { frontEnv } from './chunks/chunks-front-env.ts'

/** The tour: its configuration, and what to try, printed below what runs. */
export interface Tour {
  readonly loaded: Loaded
  readonly hints: readonly string[]
}

/** Where everything listens; a shift moves all of it. */
interface Ports {
  readonly web: number
  readonly admin: number
  readonly jobs: number
  readonly chunks: number
  readonly chunkBackends: number
  readonly queue: number
}

const usualPorts: Ports = {
  web: 8080,
  admin: 8081,
  jobs: 8000,
  chunks: 8090,
  chunkBackends: 8091,
  queue: 7071,
}

const topologyName = 'bailey'
/** Two of these cannot run at once: they have a folder or a port that nobody else may have. */
const alone = { restart: 'stop-first' }
const adminEmail = 'admin@drover.test'

/**
 * Returns the tour: every part, each as a service whose replicas are processes of this command, kept
 * alive as any other. `shift` is added to every port. Draws the password of the jobs' admin once for
 * each data folder. Throws DATA_FOLDER_UNUSABLE and INSTANCE_RUNNING.
 */
export async function loadTour(shift = 0, folder = process.cwd()): Promise<Tour> {
  const data = resolve(folder, '.drover')
  const password = await openFolder(data)
  const ports = shifted(usualPorts, shift)
  const at = (port: number) => `127.0.0.1:${port}`
  const health = { path: '/heartbeat' }
  const services = {
    web: { command: [process.execPath, webServer()], replicas: 3, health },
    ...queue(join(data, 'queue'), at(ports.queue)),
    ...jobs(data, password, at(ports.queue), at(ports.web)),
    ...chunks(join(data, 'chunks'), at(ports.queue), at(ports.chunkBackends)),
    ...(await herd(data, shift)),
  }
  const listeners = [
    { address: at(ports.web), service: 'web' },
    { address: at(ports.jobs), service: 'jobs' },
    { address: at(ports.chunks), service: 'chunks' },
    { address: at(ports.chunkBackends), service: 'chunk-backends' },
  ]
  const admin = { address: at(ports.admin) }
  const loaded = loadOptions({ services, listeners, admin }, folder, (key) => key)
  return { loaded, hints: hintsOf(password, ports, shift) }
}

/** Returns the password that is kept in the data folder, which is made if need be. */
async function openFolder(data: string): Promise<string> {
  try {
    await makeFolder(data)
    // What runs here reads its topology from this folder: a second tour must not write another.
    const running = await findInstance(data)
    if (running) throw fault('INSTANCE_RUNNING', inUse(data, running))
    return await keptSecret(join(data, 'jobs-password'))
  } catch (cause) {
    if (cause instanceof Fault && cause.code === 'INSTANCE_RUNNING') throw cause
    const message = `${data}: ${describeError(cause)}; run the tour in a folder of yours`
    throw fault('DATA_FOLDER_UNUSABLE', message, { cause })
  }
}

function hintsOf(password: string, { web, admin }: Ports, shift: number): string[] {
  const topology = shift === 0 ? '' : ` -t ${topologyFile('.drover')}`
  return [
    `The page, with everything on it: http://127.0.0.1:${admin}`,
    `Jobs: log in as ${adminEmail} with ${password}`,
    '',
    'Three things to try in another terminal:',
    `  curl http://127.0.0.1:${web}/home    again and again: another replica answers each time`,
    '  npx drover kill web 2              nobody notices; npx drover status shows its successor',
    `  npx drover herd say Clark kiwi +34.068930-118.445127${topology}`,
    `                                     and then herd ask Bona kiwi${topology}: places near it`,
    '',
  ]
}

/** A manager and three brokers: the manager is the replica, and keeps the brokers alive. */
function queue(folder: string, address: string) {
  const words = ['queue', 'serve', '--brokers', '3', '--data', folder]
  const command = ownCommand(...words, '--listen', '127.0.0.1:{port}', '--tcp', address)
  return { queue: { command, part: 'queue', replicas: 1, health: { path: '/health' }, ...alone } }
}

/** Three API replicas, and one process with the steps of the pipeline. */
function jobs(data: string, password: string, queueAddress: string, webAddress: string) {
  const common = ['--listen', '127.0.0.1:{port}', '--queue', queueAddress]
  const serve = ['jobs', 'serve', '--data', join(data, 'jobs'), ...common]
  // What runs here may be fetched; nothing else that is not public.
  const steps = ['--allow', webAddress, '--parts', 'recorder', 'publisher', 'worker', 'sender']
  const health = { path: '/v1/health' }
  const env = { DROVER_JOBS_ADMIN_EMAIL: adminEmail, DROVER_JOBS_ADMIN_PASSWORD: password }
  const api = ownCommand(...serve, '--parts', 'api')
  return {
    jobs: { command: api, env, part: 'jobs', replicas: 3, health },
    'job-steps': { command: ownCommand(...serve, ...steps), replicas: 1, health },
  }
}

/** The page, and three processes that do its work behind a listener of their own. */
function chunks(folder: string, queueAddress: string, backendsAddress: string) {
  const where = ['--listen', '127.0.0.1:{port}', '--data', folder, '--queue', queueAddress]
  const front = ['chunks', 'serve', ...where, '--backends-url', `http://${backendsAddress}`]
  const health = { path: '/healthz', timeout: '20s' }
  return {
    chunks: {
      ...{ command: ownCommand(...front), part: 'chunks', replicas: 1, env: frontEnv, health },
      ...alone,
      // Whoever waits for a result waits as long as the work takes.
      timeouts: { firstByte: '24h' },
    },
    'chunk-backends': {
      ...{ command: ownCommand('chunks', 'backend', '--tasks', '2'), replicas: 3, health },
      policy: 'least-connections',
    },
  }
}

/** Each server of the herd is a service of its own: it has a port that clients know. */
async function herd(data: string, shift: number) {
  const { builtinTopologies } = await import('@drover/herd')
  const servers = builtinTopologies[topologyName]?.servers ?? []
  const topology = shift === 0 ? topologyName : await writeTopology(data, shift)
  const serve = (name: string) => {
    const words = ['herd', 'serve', name, '--topology', topology, '--logs', join(data, 'herd')]
    const command = ownCommand(...words, '--http', '127.0.0.1:{port}')
    return { command, part: 'herd', replicas: 1, health: { path: '/v1/status' }, ...alone }
  }
  return Object.fromEntries(servers.map(({ name }) => [name.toLowerCase(), serve(name)]))
}

const topologyFile = (data: string) => join(data, 'herd.yaml')

/** Writes the herd's topology on other ports; returns its file. JSON is YAML, too. */
async function writeTopology(data: string, shift: number): Promise<string> {
  const { builtinTopologies } = await import('@drover/herd')
  const { servers = [], links = [] } = builtinTopologies[topologyName] ?? {}
  const file = topologyFile(data)
  const addresses = servers.map(({ name, address }) => {
    return [name, `${address.host}:${address.port + shift}`]
  })
  const text = { name: topologyName, sync: false, servers: Object.fromEntries(addresses), links }
  await writeFile(file, `${JSON.stringify(text, undefined, 2)}\n`)
  return file
}

function shifted(ports: Ports, shift: number): Ports {
  const entries = Object.entries(ports).map(([name, port]) => [name, port + shift])
  return Object.fromEntries(entries) as unknown as Ports
}

function webServer(): string {
  const file = sampleServer()
  if (file !== undefined) return file
  throw fault(
    'USAGE',
    'there is no drover.yaml here; name one with -c, or see drover balance --help',
  )
}
