import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Clock,
  createLog,
  type Log,
  parseAddress,
  type Random,
  systemClock,
  systemRandom,
} from '@drover/kernel'
import { QueueClient } from './client/queue-client.ts'
import { createNodeDisk } from './log/node-disk.ts'
import { DeadLetterMover } from './manager/dead-letters.ts'
import { lockFolder } from './manager/folder-lock.ts'
import { LocalHost } from './manager/local-host.ts'
import { Manager } from './manager/manager.ts'
import { ProcessHost } from './manager/process-host.ts'
import { createManagerHandler } from './manager/requests.ts'
import { type LogOptions, limitDefaults, logDefaults, type QueueLimits } from './options.ts'
import { createLocalLink } from './wire/link.ts'
import { createTcpLink } from './wire/tcp-link.ts'
import { listenTcp } from './wire/tcp-server.ts'

/** What a queue is started with. */
export interface QueueSettings {
  /** The manager's and the brokers' files. Made when it is not there. */
  readonly dataFolder: string
  /** Brokers to begin with: a number (`broker0`, `broker1`, …) or names. Ignored once there are some. */
  readonly brokers?: number | readonly string[]
  /** `processes` (default): each broker one process. `here`: all within this one. */
  readonly runBrokers?: 'processes' | 'here'
  /** HOST:PORT where other programs reach the manager by the binary protocol. Default a free one. */
  readonly listen?: string
  readonly limits?: Partial<QueueLimits>
  readonly log?: Partial<LogOptions>
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Log
}

/** A queue that runs. */
export interface RunningQueue {
  /** The queue as this process uses it. */
  readonly client: QueueClient
  readonly manager: Manager
  /** HOST:PORT of the manager, for `connectQueue`. */
  readonly address: string
  stop(): Promise<void>
}

/**
 * Starts a manager and its brokers over `dataFolder`. When something fails, what is up already is
 * stopped again. Throws FOLDER_IN_USE, BROKER_UNREACHABLE, LOG_DAMAGED.
 */
export async function startQueue(settings: QueueSettings): Promise<RunningQueue> {
  const { clock = systemClock, random = systemRandom, logger = createLog('queue') } = settings
  const limits = { ...limitDefaults, ...settings.limits }
  const logOptions = { ...logDefaults, ...settings.log }
  const up: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const down of up.splice(0).reverse()) await down()
  }
  try {
    const managerFolder = join(settings.dataFolder, 'manager')
    await mkdir(managerFolder, { recursive: true })
    up.push(await lockFolder(settings.dataFolder, clock))
    const folder = join(settings.dataFolder, 'brokers')
    const parts = { folder, clock, random, log: logger, limits, logOptions }
    const { host = '127.0.0.1', port = 0 } = settings.listen ? parseAddress(settings.listen) : {}
    const local = settings.runBrokers === 'here' ? createLocalHost(parts) : undefined
    const manager = new Manager({
      ...{ clock, random, log: logger, limits },
      disk: createNodeDisk(managerFolder),
      host: local ?? new ProcessHost({ ...parts, host }),
      firstBrokers: namesOf(settings.brokers ?? 1),
    })
    up.push(() => manager.stop())
    await manager.start()
    const handler = createManagerHandler(manager)
    const server = await listenTcp({ host, port }, handler, logger, 1_048_576)
    up.push(() => server.close())
    const client = new QueueClient({
      manager: createLocalLink(handler),
      connect: (name, address) => local?.linkTo(name) ?? createTcpLink(address, clock),
      ...{ clock, random, limits, patienceMs: 30_000 },
    })
    await client.start()
    up.push(() => client.stop())
    const brokers = () => [...manager.brokers.values()].filter(({ state }) => state === 'up')
    const mover = new DeadLetterMover({ clock, log: logger, engine: client, brokers })
    await mover.start()
    up.push(() => mover.stop())
    return { client, manager, address: server.address, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

interface HostParts {
  readonly folder: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits: QueueLimits
  readonly logOptions: LogOptions
}

function createLocalHost(parts: HostParts): LocalHost {
  const at = (name: string) => join(parts.folder, name)
  return new LocalHost({
    ...parts,
    diskOf: (name) => createNodeDisk(at(name)),
    prepare: async (name) => {
      await mkdir(at(name), { recursive: true })
    },
    forget: (name) => rm(at(name), { recursive: true, force: true }),
  })
}

function namesOf(brokers: number | readonly string[]): readonly string[] {
  if (typeof brokers !== 'number') return brokers
  return Array.from({ length: brokers }, (_, index) => `broker${index}`)
}

/** Returns a client of the queue whose manager listens at `address`, started. */
export async function connectQueue(
  address: string,
  options: { readonly patienceMs?: number } = {},
): Promise<QueueClient> {
  const client = new QueueClient({
    manager: createTcpLink(address, systemClock),
    connect: (_, broker) => createTcpLink(broker, systemClock),
    clock: systemClock,
    random: systemRandom,
    patienceMs: options.patienceMs ?? 30_000,
  })
  await client.start()
  return client
}
