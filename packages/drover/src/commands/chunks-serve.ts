import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { EngineRequestQueue, type RunningChunks, startChunks } from '@drover/chunks'
import { createLog, silentLog, systemClock, systemRandom } from '@drover/kernel'
import { connectQueue, type QueueEngine, startQueue } from '@drover/queue'
import { loadOptions } from '../config/load.ts'
import { startInstance } from '../instance.ts'
import { readStatus } from '../status.ts'
import { version } from '../version.ts'

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

/** What `drover chunks serve` runs: the queue, the backends behind their door, and the front. */
export async function startChunksService(options: ChunksService): Promise<RunningChunks> {
  const { host, port, quotaBytes } = options
  const folder = resolve(options.data)
  await mkdir(folder, { recursive: true })
  const up: Stoppable[] = []
  const stopAll = async () => {
    for (const part of up.splice(0).toReversed()) await part.stop()
  }
  try {
    const backendsUrl = options.backendsUrl ?? (await startBackends(options.backends, folder, up))
    const requests = new EngineRequestQueue(
      await openQueue(options.queue, folder, up),
      systemClock.every,
    )
    await requests.open()
    const chunks = await startChunks({
      ...{ host, port, folder, backendsUrl, quotaBytes, queue: requests },
      ...{ clock: systemClock, random: systemRandom },
      log: createLog('chunks', { file: join(folder, 'chunks.log') }),
      highWater: options.highWater / 100,
      window: 2 * options.backends,
      workers: options.workers,
    })
    up.push(chunks)
    return { ...chunks, stop: stopAll }
  } catch (error) {
    await stopAll()
    throw error
  }
}

interface Stoppable {
  stop(): Promise<void>
}

/** Starts the backends behind a door of their own; returns its URL. */
async function startBackends(count: number, folder: string, up: Stoppable[]): Promise<string> {
  const instance = await startInstance(backendsOf(count, folder))
  up.push(instance)
  const about = { version, pid: process.pid, startedAtMs: 0, file: null, admin: null }
  return (await readStatus(instance.system, about)).listeners[0]?.url ?? ''
}

/** The queue at `address`, or one of our own within this process. */
async function openQueue(
  address: string | undefined,
  folder: string,
  up: Stoppable[],
): Promise<QueueEngine> {
  if (address !== undefined) {
    const client = await connectQueue(address, { awaitsManager: true })
    up.push(client)
    return client
  }
  const own = { brokers: 1, runBrokers: 'here', logger: silentLog } as const
  const queue = await startQueue({ dataFolder: join(folder, 'queue'), ...own })
  up.push(queue)
  return queue.client
}

/** The backends as a service of their own, spread by least connections. */
function backendsOf(count: number, folder: string) {
  const words = ['chunks', 'backend', '--tasks', '2']
  const config = {
    data: join(folder, 'drover'),
    admin: { address: 'off' },
    // One process decides whom each task goes to, so that the least busy one really is.
    door: { workers: 1, grace: '1s' },
    services: {
      backends: {
        // A small young generation: tasks make little garbage, and memory is to stay flat.
        command: [process.execPath, '--max-semi-space-size=2', process.argv[1] ?? '', ...words],
        replicas: count,
        policy: 'least-connections',
        // A backend in the middle of a heavy task answers late; that is no illness here.
        health: { path: '/healthz', timeout: '20s', fall: 3 },
      },
    },
    listeners: [{ address: '127.0.0.1:0', service: 'backends' }],
  }
  return loadOptions(config, folder, (key) => key)
}
