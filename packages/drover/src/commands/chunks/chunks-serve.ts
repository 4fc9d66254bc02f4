import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { EngineRequestQueue, startChunks } from '@drover/chunks'
import { createLog, silentLog, systemClock, systemRandom } from '@drover/kernel'
import { connectQueue, type QueueEngine, startQueue } from '@drover/queue'
import { loadOptions } from '../../config/load.ts'
import { makeFolder } from '../../data-folder.ts'
import { fault } from '../../errors.ts'
import { freePorts } from '../../free-ports.ts'
import { startInstance } from '../../instance.ts'
import { readStatus } from '../../status.ts'
import { version } from '../../version.ts'
import { frontEnv } from './chunks-front-env.ts'

/** What the service is started with. */
export interface ChunksService {
  readonly host: string
  readonly port: number
  /** Where uploads, results and the queue are kept. */
  readonly data: string
  readonly quotaBytes: number
  /** In percent. */
  readonly highWater: number
  readonly workers: number
  /** Backends to start, unless there is a URL of some that run already. */
  readonly backends: number
  readonly backendsUrl?: string
  /** HOST:PORT of a queue that runs already. */
  readonly queue?: string
}

/** A service that runs. */
export interface RunningService {
  readonly url: string
  stop(): Promise<void>
}

/**
 * What `drover chunks serve` runs: the front and its backends, kept alive behind a door; or, when
 * backends run already, the front alone, in this process.
 */
export async function startChunksService(options: ChunksService): Promise<RunningService> {
  const folder = resolve(options.data)
  await makeFolder(folder).catch((cause: Error) => {
    const message = `${folder}: ${cause.message}; --data names another folder`
    throw fault('DATA_FOLDER_UNUSABLE', message, { cause })
  })
  const { backendsUrl } = options
  return backendsUrl === undefined
    ? startHerd(options, folder)
    : startFront({ ...options, backendsUrl }, folder)
}

async function startFront(
  options: ChunksService & { readonly backendsUrl: string },
  folder: string,
): Promise<RunningService> {
  const { host, port, quotaBytes, backendsUrl, workers } = options
  const { engine, close } = await openQueue(options.queue, folder)
  // On a queue that others use, too, each front has a topic of its own.
  const mark = createHash('sha256').update(folder).digest('hex').slice(0, 8)
  const topic = options.queue === undefined ? 'chunk-requests' : `chunk-requests-${mark}`
  try {
    const queue = new EngineRequestQueue(engine, systemClock.every, topic)
    await queue.open()
    const chunks = await startChunks({
      ...{ host, port, folder, backendsUrl, quotaBytes, queue, workers },
      ...{ clock: systemClock, random: systemRandom },
      log: createLog('chunks', { file: join(folder, 'chunks.log') }),
      highWater: options.highWater / 100,
      // Each holds 8 MiB here: a segment and its answer.
      window: Math.max(2, options.backends),
    })
    const stop = async () => {
      await chunks.stop()
      await close()
    }
    return { url: chunks.url, stop }
  } catch (error) {
    await close()
    throw error
  }
}

/** The queue at `address`, or one of our own within this process. */
async function openQueue(
  address: string | undefined,
  folder: string,
): Promise<{ engine: QueueEngine; close(): Promise<void> }> {
  if (address !== undefined) {
    const client = await connectQueue(address, { awaitsManager: true })
    return { engine: client, close: () => client.stop() }
  }
  const own = { brokers: 1, runBrokers: 'here', logger: silentLog } as const
  const queue = await startQueue({ dataFolder: join(folder, 'queue'), ...own })
  return { engine: queue.client, close: () => queue.stop() }
}

async function startHerd(options: ChunksService, folder: string): Promise<RunningService> {
  const [backendsPort = 0] = await freePorts(1)
  const config = configOf(options, folder, `127.0.0.1:${backendsPort}`)
  const instance = await startInstance(loadOptions(config, folder, (key) => key))
  const about = { version, pid: process.pid, startedAtMs: 0, file: null, admin: null }
  const { listeners } = await readStatus(instance.system, about)
  return { url: listeners[0]?.url ?? '', stop: instance.stop }
}

/** The front and its backends as services; tasks are spread by least connections. */
function configOf(options: ChunksService, folder: string, backendsAddress: string) {
  const { host, port, backends, quotaBytes, highWater, workers, queue } = options
  // A small young generation: there is little garbage, and memory is to stay flat.
  const self = [process.execPath, '--max-semi-space-size=1', process.argv[1] ?? '', 'chunks']
  const front = [
    ...['serve', '--listen', '127.0.0.1:{port}', '--data', folder],
    ...['--backends-url', `http://${backendsAddress}`, '--backends', `${backends}`],
    ...['--quota', `${quotaBytes}B`, '--high-water', `${highWater}`, '--workers', `${workers}`],
    ...(queue === undefined ? [] : ['--queue', queue]),
  ]
  // In the middle of heavy work they answer late; that is no illness here.
  const health = { path: '/healthz', timeout: '20s', fall: 3 }
  return {
    data: join(folder, 'drover'),
    admin: { address: 'off' },
    // One process decides whom each task goes to, so that the least busy one really is.
    door: { workers: 1, grace: '1s' },
    services: {
      front: {
        command: [...self, ...front],
        env: frontEnv,
        replicas: 1,
        // Two of them would have the same folder.
        restart: 'stop-first',
        health,
        // Whoever waits for a result waits as long as the work takes.
        timeouts: { firstByte: '24h' },
      },
      backends: {
        command: [...self, 'backend', '--tasks', '2'],
        replicas: backends,
        policy: 'least-connections',
        health,
      },
    },
    listeners: [
      { address: `${host}:${port}`, service: 'front' },
      { address: backendsAddress, service: 'backends' },
    ],
  }
}
