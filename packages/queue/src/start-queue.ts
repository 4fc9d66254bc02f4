import { rm } from 'node:fs/promises'
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
import { createCourseApi } from './course/course-api.ts'
import { listenHttpApi } from './http/http-api.ts'
import { makeFolder } from './log/make-folder.ts'
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
  /** HOST:PORT of the HTTP API v1; without it there is none. */
  readonly listen?: string
  /** HOST:PORT of the manager by the binary protocol, for `connectQueue`. Default a free port. */
  readonly tcp?: string
  /** HOST:PORT of the course's primary manager; the read-only one takes the next port. */
  readonly courseApi?: string
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
  /** URL of the HTTP API; undefined without `listen`. */
  readonly url: string | undefined
  /** HOST:PORT of the course's managers; undefined without `courseApi`. */
  readonly course: { readonly primary: string; readonly readOnly: string } | undefined
  stop(): Promise<void>
}

interface Parts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits: QueueLimits
  readonly logOptions: LogOptions
}

type Stop = () => Promise<void>

/**
 * Starts a manager and its brokers over `dataFolder`, and what listens for others. When something
 * fails, what is up already is stopped again. Throws FOLDER_IN_USE, BROKER_UNREACHABLE, LOG_DAMAGED.
 */
export async function startQueue(settings: QueueSettings): Promise<RunningQueue> {
  const parts: Parts = {
    clock: settings.clock ?? systemClock,
    random: settings.random ?? systemRandom,
    log: settings.logger ?? createLog('queue'),
    limits: { ...limitDefaults, ...settings.limits },
    logOptions: { ...logDefaults, ...settings.log },
  }
  const up: Stop[] = []
  const stop = async () => {
    for (const down of up.splice(0).reverse()) await down()
  }
  try {
    const core = await startCore(settings, parts, up)
    return { ...core, ...(await startApis(settings, parts, core.client, up)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The manager, its brokers, and a client in this process. */
async function startCore(settings: QueueSettings, parts: Parts, up: Stop[]) {
  const { clock, limits, log } = parts
  const managerFolder = join(settings.dataFolder, 'manager')
  await makeFolder(managerFolder)
  up.push(await lockFolder(settings.dataFolder, clock))
  const folder = join(settings.dataFolder, 'brokers')
  const { host, port } = parseAddress(settings.tcp ?? '127.0.0.1:0')
  const local = settings.runBrokers === 'here' ? createLocalHost({ ...parts, folder }) : undefined
  const manager = new Manager({
    ...parts,
    disk: createNodeDisk(managerFolder),
    host: local ?? new ProcessHost({ ...parts, folder, host }),
    firstBrokers: namesOf(settings.brokers ?? 1),
  })
  up.push(() => manager.stop())
  await manager.start()
  const handler = createManagerHandler(manager)
  const frameBytesMax = 1_048_576
  const server = await listenTcp({ host, port }, { handler, clock, log, frameBytesMax })
  up.push(() => server.close())
  const client = new QueueClient({
    manager: createLocalLink(handler),
    connect: (name, address) => local?.linkTo(name) ?? createTcpLink(address, clock),
    ...{ clock, random: parts.random, limits, patienceMs: 30_000 },
  })
  await client.start()
  up.push(() => client.stop())
  const brokers = () => [...manager.brokers.values()].filter(({ state }) => state === 'up')
  const mover = new DeadLetterMover({ clock, log, engine: client, brokers })
  await mover.start()
  up.push(() => mover.stop())
  return { client, manager, address: server.address }
}

/** What listens for those who speak HTTP. */
async function startApis(
  { listen, courseApi, dataFolder }: QueueSettings,
  { clock, log }: Parts,
  client: QueueClient,
  up: Stop[],
) {
  let url: string | undefined
  if (listen !== undefined) {
    const api = await listenHttpApi(
      { engine: client, admin: client, clock, log },
      parseAddress(listen),
    )
    up.push(() => api.stop())
    url = api.url
  }
  if (courseApi === undefined) return { url, course: undefined }
  const course = createCourseApi({
    engine: client,
    brokers: client,
    data: join(dataFolder, 'course'),
    address: parseAddress(courseApi),
    log,
  })
  up.push(() => course.stop())
  await course.start()
  return { url, course: { primary: course.primary, readOnly: course.readOnly } }
}

function createLocalHost(parts: Parts & { readonly folder: string }): LocalHost {
  const at = (name: string) => join(parts.folder, name)
  return new LocalHost({
    ...parts,
    diskOf: (name) => createNodeDisk(at(name)),
    prepare: (name) => makeFolder(at(name)),
    forget: (name) => rm(at(name), { recursive: true, force: true }),
  })
}

function namesOf(brokers: number | readonly string[]): readonly string[] {
  if (typeof brokers !== 'number') return brokers
  return Array.from({ length: brokers }, (_, index) => `broker${index}`)
}

/**
 * Returns a client of the queue whose manager listens at `address`, started. With `awaitsManager` it
 * waits its patience for a manager that is not there yet. Throws BROKER_UNREACHABLE.
 */
export async function connectQueue(
  address: string,
  options: { readonly patienceMs?: number; readonly awaitsManager?: boolean } = {},
): Promise<QueueClient> {
  const client = new QueueClient({
    manager: createTcpLink(address, systemClock),
    connect: (_, broker) => createTcpLink(broker, systemClock),
    clock: systemClock,
    random: systemRandom,
    patienceMs: options.patienceMs ?? 30_000,
  })
  await client.start(options.awaitsManager)
  return client
}
