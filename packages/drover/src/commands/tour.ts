import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Loaded, loadOptions } from '../config/load.ts'
import { keptSecret, makeFolder } from '../data-folder.ts'
import { fault } from '../errors.ts'

/** The tour: its configuration, and what to try, printed below what runs. */
export interface Tour {
  readonly loaded: Loaded
  readonly hints: readonly string[]
}

const herdServers = ['Bailey', 'Bona', 'Campbell', 'Clark', 'Jaquez']
const queueAddress = '127.0.0.1:7071'
const backendsAddress = '127.0.0.1:8091'
/** Two of these cannot run at once: they have a folder or a port that nobody else may have. */
const alone = { restart: 'stop-first' }
const adminEmail = 'admin@drover.test'

/**
 * Returns the tour: every part, each as a service whose replicas are processes of this command, kept
 * alive as any other. Draws the password of the jobs' admin once for each data folder.
 */
export async function loadTour(folder = process.cwd()): Promise<Tour> {
  const data = resolve(folder, '.drover')
  await makeFolder(data)
  const password = await keptSecret(join(data, 'jobs-password'))
  const services = {
    web: {
      command: [process.execPath, sampleServer()],
      replicas: 3,
      health: { path: '/heartbeat' },
    },
    ...queue(join(data, 'queue')),
    ...jobs(data, password),
    ...chunks(join(data, 'chunks')),
    ...herd(join(data, 'herd')),
  }
  const listeners = [
    { address: '127.0.0.1:8080', service: 'web' },
    { address: '127.0.0.1:8000', service: 'jobs' },
    { address: '127.0.0.1:8090', service: 'chunks' },
    { address: backendsAddress, service: 'chunk-backends' },
  ]
  const admin = { address: '127.0.0.1:8081' }
  const loaded = loadOptions({ services, listeners, admin }, folder, (key) => key)
  return { loaded, hints: hintsOf(password) }
}

function hintsOf(password: string): string[] {
  return [
    'The page, with everything on it: http://127.0.0.1:8081',
    `Jobs: log in as ${adminEmail} with ${password}`,
    '',
    'Three things to try in another terminal:',
    '  curl http://127.0.0.1:8080/home        again and again: another replica answers each time',
    '  npx drover kill web 2                  nobody notices; npx drover status shows its successor',
    '  npx drover herd ask Bona kiwi 10 5     after: npx drover herd say Clark kiwi +34.068930-118.445127',
    '',
  ]
}

/** A manager and three brokers: the manager is the replica, and keeps the brokers alive. */
function queue(folder: string) {
  const words = ['queue', 'serve', '--brokers', '3', '--data', folder]
  const command = self(...words, '--listen', '127.0.0.1:{port}', '--tcp', queueAddress)
  return { queue: { command, part: 'queue', replicas: 1, health: { path: '/health' }, ...alone } }
}

/** Three API replicas, and one process with the steps of the pipeline. */
function jobs(data: string, password: string) {
  const common = ['--listen', '127.0.0.1:{port}', '--queue', queueAddress]
  const serve = ['jobs', 'serve', '--data', join(data, 'jobs'), ...common, '--parts']
  const health = { path: '/v1/health' }
  const env = { DROVER_JOBS_ADMIN_EMAIL: adminEmail, DROVER_JOBS_ADMIN_PASSWORD: password }
  return {
    jobs: { command: self(...serve, 'api'), env, part: 'jobs', replicas: 3, health },
    'job-steps': {
      // What runs here may be fetched; nothing else that is not public.
      command: self(
        ...serve,
        'recorder',
        'publisher',
        'worker',
        'sender',
        '--allow',
        '127.0.0.1:8080',
      ),
      replicas: 1,
      health,
    },
  }
}

/** The page, and three processes that do its work behind a listener of their own. */
function chunks(folder: string) {
  const where = ['--listen', '127.0.0.1:{port}', '--data', folder, '--queue', queueAddress]
  const command = self('chunks', 'serve', ...where, '--backends-url', `http://${backendsAddress}`)
  const backend = self('chunks', 'backend', '--tasks', '2')
  const health = { path: '/healthz', timeout: '20s' }
  return {
    chunks: { command, part: 'chunks', replicas: 1, health, ...alone },
    'chunk-backends': { command: backend, replicas: 3, policy: 'least-connections', health },
  }
}

/** Each server of the herd is a service of its own: it has a port that clients know. */
function herd(folder: string) {
  const serve = (name: string) => {
    const words = ['herd', 'serve', name, '--topology', 'bailey', '--logs', folder]
    const command = self(...words, '--http', '127.0.0.1:{port}')
    return { command, part: 'herd', replicas: 1, health: { path: '/v1/status' }, ...alone }
  }
  return Object.fromEntries(herdServers.map((name) => [name.toLowerCase(), serve(name)]))
}

/** The words that run this very command. */
function self(...words: string[]): string[] {
  return [process.execPath, process.argv[1] ?? '', ...words]
}

/** The sample server lies in the examples of the project, above the compiled file. */
function sampleServer(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const file = join(here, '..', '..', '..', '..', '..', 'examples', 'home-server', 'server.js')
  if (existsSync(file)) return file
  throw fault(
    'USAGE',
    'there is no drover.yaml here; name one with -c, or see drover balance --help',
  )
}
