import { join, resolve } from 'node:path'
import { type Loaded, loadOptions } from '../../config/load.ts'
import { freePorts } from '../../free-ports.ts'
import { ownCommand } from '../../own-command.ts'
import { runInForeground } from '../foreground.ts'
import type { ServeOptions } from './jobs-serve.ts'

type Admin = { readonly email: string; readonly password: string }

/** What every process of the service is told by its environment: addresses may hold passwords. */
type Environment = Record<string, string>

const steps = ['recorder', 'publisher', 'worker', 'sender'] as const

/** A process that was killed is there again soon, and one that is killed often is not left alone. */
const start = { backoffMax: '2s', stableAfter: '3s' }

/**
 * Runs the queue, the API replicas behind the front door, and each step of the pipeline as processes
 * of their own that are kept alive, until it is told to stop.
 */
export async function serveHerd(options: ServeOptions, admin: Admin | undefined): Promise<void> {
  const data = resolve(options.data)
  const store = options.store ?? join(data, 'jobs.sqlite')
  const { prepareJobs } = await import('@drover/jobs')
  const setupToken = await prepareJobs({ data, store, ...(admin ? { admin } : {}) })
  // The queue has to be found at the same place when it is started again.
  const [port = 0] = await freePorts(1)
  const tcp = options.queue === undefined ? `127.0.0.1:${port}` : undefined
  const env = {
    DROVER_JOBS_STORE: store,
    DROVER_JOBS_QUEUE: options.queue ?? `${tcp}`,
    ...(setupToken === undefined ? {} : { DROVER_JOBS_SETUP_TOKEN: setupToken }),
  }
  const hints = setupToken === undefined ? [] : [setupHint(options.listen, setupToken)]
  await runInForeground(herdOf({ ...options, data }, env, tcp), { hints: [...hints, ''] })
}

function setupHint(listen: string, token: string): string {
  return `No admin yet; POST http://${listen}/v1/setup takes this token once: ${token}`
}

/** The processes as services: the API has a listener, the others are there only to be kept alive. */
function herdOf(options: ServeOptions, env: Environment, tcp: string | undefined): Loaded {
  const { data, replicas, workers, listen } = options
  const of = (part: string, count: number | undefined) => ({
    ...{ command: commandOf(part, options), env, start, replicas: count },
    health: { path: '/v1/health', timeout: '10s', fall: 3 },
  })
  const config = {
    data: join(data, 'drover'),
    admin: { address: '127.0.0.1:0' },
    services: {
      ...(tcp === undefined ? {} : { queue: queueOf(data, tcp) }),
      api: { ...of('api', replicas), policy: 'round-robin' },
      ...Object.fromEntries(steps.map((step) => [step, of(step, step === 'worker' ? workers : 1)])),
    },
    listeners: [{ address: listen, service: 'api' }],
  }
  return loadOptions(config, data, (key) => (key.startsWith('listeners') ? '--listen' : key))
}

/** The manager is the replica, and keeps its broker alive. */
function queueOf(data: string, tcp: string) {
  const words = ['queue', 'serve', '--listen', '127.0.0.1:{port}', '--tcp', tcp]
  return {
    command: ownCommand(...words, '--data', join(data, 'queue')),
    ...{ replicas: 1, restart: 'stop-first', start },
    health: { path: '/v1/topics', timeout: '10s', fall: 3 },
  }
}

function commandOf(part: string, options: ServeOptions): string[] {
  const { data, allow = [], hostDelay, ignoreRobots = false } = options
  return ownCommand(
    ...['jobs', 'serve', '--parts', part, '--listen', '127.0.0.1:{port}', '--data', data],
    ...['--replica-id', '{id}', '--behind-door'],
    ...(hostDelay === undefined ? [] : ['--host-delay', String(hostDelay)]),
    ...(ignoreRobots ? ['--ignore-robots'] : []),
    ...(allow.length === 0 ? [] : ['--allow', ...allow]),
  )
}
