import { join } from 'node:path'
import {
  type Clock,
  createLog,
  type Log,
  parseAddress,
  type Random,
  type Service,
  startAll,
  stopAll,
  systemClock,
  systemRandom,
} from '@drover/kernel'
import type { NodeConnectionOptions } from '@nats-io/transport-node'
import { createCourseApi } from './course/course-api.ts'
import { createNatsEngine } from './engines/nats.ts'
import { createRabbitEngine } from './engines/rabbitmq.ts'
import { fault } from './errors.ts'
import { listenHttpApi, type RunningHttpApi } from './http/http-api.ts'
import { limitDefaults, type QueueLimits } from './options.ts'
import type { EngineName, QueueEngine } from './queue-engine.ts'

/** A queue on servers that run already. */
export interface ForeignQueueSettings {
  readonly engine: Exclude<EngineName, 'embedded'>
  /** `amqp://user:password@host:5672`, or one or more `nats://user:password@host:4222` (or `tls://`). */
  readonly servers: readonly string[]
  /** NATS: copies of each stream, 1, 3 or 5. Quorum queues decide by their cluster. */
  readonly replicas?: number
  /** Holds the ids and positions of the course's managers; needed with `courseApi` alone. */
  readonly dataFolder?: string
  /** HOST:PORT of the HTTP API v1; without it there is none. */
  readonly listen?: string
  /** HOST:PORT of the course's primary manager; the read-only one takes the next port. */
  readonly courseApi?: string
  readonly limits?: Partial<QueueLimits>
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Log
}

/** A queue on another engine, and what listens for those who speak HTTP. */
export interface RunningForeignQueue {
  readonly engine: QueueEngine
  /** URL of the HTTP API; undefined without `listen`. */
  readonly url: string | undefined
  /** HOST:PORT of the course's managers; undefined without `courseApi`. */
  readonly course: { readonly primary: string; readonly readOnly: string } | undefined
  stop(): Promise<void>
}

/** Connects to the servers. Throws ENGINE_FAILED, ADDRESS_TAKEN, FEATURE_MISSING, OPTION_INVALID. */
export async function startForeignQueue(
  settings: ForeignQueueSettings,
): Promise<RunningForeignQueue> {
  const log = settings.logger ?? createLog('queue')
  const clock = settings.clock ?? systemClock
  const engine = createEngine(settings, clock, log)
  let api: RunningHttpApi | undefined
  const { listen, courseApi, dataFolder = '.' } = settings
  const data = join(dataFolder, 'course')
  const course =
    courseApi === undefined
      ? undefined
      : createCourseApi({ engine, data, address: parseAddress(courseApi), log })
  const http: Service = {
    async start() {
      if (listen === undefined) return
      api = await listenHttpApi({ engine, clock, log }, parseAddress(listen))
    },
    stop: async () => api?.stop(),
  }
  const services = [engine, http, ...(course ? [course] : [])]
  await startAll(services)
  return {
    engine,
    url: api?.url,
    course: course && { primary: course.primary, readOnly: course.readOnly },
    stop: () => stopAll(services),
  }
}

function createEngine(settings: ForeignQueueSettings, clock: Clock, log: Log): QueueEngine {
  const { engine, servers, replicas = 1 } = settings
  const limits = { ...limitDefaults, ...settings.limits }
  const [first] = servers
  if (first === undefined) throw fault('OPTION_INVALID', `the ${engine} engine needs its servers`)
  if (engine === 'rabbitmq') {
    if (servers.length > 1)
      throw fault('OPTION_INVALID', 'RabbitMQ takes one address; a cluster stands behind one')
    return createRabbitEngine({ connection: { url: first }, limits, clock, log })
  }
  const random = settings.random ?? systemRandom
  return createNatsEngine({
    connection: natsConnection(servers),
    replicas,
    limits,
    clock,
    random,
    log,
  })
}

/** The NATS client wants names and passwords apart from addresses; a name alone is a token. */
function natsConnection(servers: readonly string[]): NodeConnectionOptions {
  const urls = servers.map((server) => {
    try {
      return new URL(server.includes('://') ? server : `nats://${server}`)
    } catch (cause) {
      throw fault('OPTION_INVALID', 'a server of NATS is written as nats://host:4222', { cause })
    }
  })
  const [user = '', pass = ''] = [urls[0]?.username, urls[0]?.password].map((text = '') =>
    decodeURIComponent(text),
  )
  const known = pass === '' ? { token: user } : { user, pass }
  return {
    servers: urls.map(({ host }) => host),
    ...(user === '' ? {} : known),
    ...(urls[0]?.protocol === 'tls:' ? { tls: {} } : {}),
  }
}
