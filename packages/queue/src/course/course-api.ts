import {
  type Address,
  type Clock,
  formatAddress,
  type Log,
  type Service,
  systemClock,
} from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import type { Disk } from '../log/disk.ts'
import { makeFolder } from '../log/make-folder.ts'
import { createNodeDisk } from '../log/node-disk.ts'
import type { BrokerAdmin, QueueEngine } from '../queue-engine.ts'
import { CourseManager } from './manager.ts'
import { createCourseServer } from './server.ts'
import { createSoleBroker } from './sole-broker.ts'

/** With port 0, pairs of neighbouring ports are tried so often. */
const pairsMax = 50

export interface CourseApiOptions {
  /** Must be started; the course's API does not stop it. */
  readonly engine: QueueEngine
  /** Whose brokers /brokers/add and /brokers/rm start and stop; without it the engine is one broker. */
  readonly brokers?: BrokerAdmin
  /** The folder of course.journal, which keeps ids, turns and positions; made if there is none. */
  readonly data: string | Disk
  /** Of the primary manager; the read-only one takes the next port. */
  readonly address: Address
  readonly clock?: Clock
  readonly log: Log
}

/** The two managers of the course's sharded queue over an engine, each on its port. */
export interface CourseApi extends Service {
  /** HOST:PORT of the primary manager, known once started. */
  readonly primary: string
  /** HOST:PORT of the read-only manager. */
  readonly readOnly: string
}

/**
 * Returns the course's API. `start` throws ADDRESS_TAKEN, LOG_DAMAGED, and FEATURE_MISSING for an
 * engine that cannot read by offset.
 */
export function createCourseApi(options: CourseApiOptions): CourseApi {
  const { engine, data, log, address, clock = systemClock } = options
  const brokers = options.brokers ?? createSoleBroker(engine)
  let manager: CourseManager | undefined
  let servers: readonly FastifyInstance[] = []
  let ports: readonly number[] = []
  const addressOf = (index: number) =>
    formatAddress({ host: address.host, port: ports[index] ?? 0 })
  return {
    get primary() {
      return addressOf(0)
    },
    get readOnly() {
      return addressOf(1)
    },
    async start() {
      if (manager) return
      manager = await CourseManager.open({
        engine,
        brokers,
        disk: await openDisk(data),
        clock,
        log,
      })
      try {
        const opened = await listenPair(manager, address, log)
        servers = opened.servers
        ports = opened.ports
      } catch (error) {
        await manager.close()
        manager = undefined
        throw error
      }
    },
    async stop() {
      const open = manager
      manager = undefined
      await Promise.all(servers.map((server) => server.close()))
      servers = []
      await open?.close()
    },
  }
}

async function openDisk(data: string | Disk): Promise<Disk> {
  if (typeof data !== 'string') return data
  await makeFolder(data)
  return createNodeDisk(data)
}

async function listenPair(manager: CourseManager, address: Address, log: Log) {
  for (let attempt = 1; ; attempt++) {
    const primary = createCourseServer({ manager, log, readOnly: false })
    const readOnly = createCourseServer({ manager, log, readOnly: true })
    try {
      const port = await listen(primary, address)
      await listen(readOnly, { host: address.host, port: port + 1 })
      return { servers: [primary, readOnly], ports: [port, port + 1] }
    } catch (error) {
      await Promise.all([primary.close(), readOnly.close()])
      if (address.port !== 0 || attempt === pairsMax) throw error
    }
  }
}

async function listen(server: FastifyInstance, address: Address): Promise<number> {
  try {
    await server.listen(address)
  } catch (cause) {
    throw fault('ADDRESS_TAKEN', `cannot listen on ${formatAddress(address)}`, { cause })
  }
  return (server.server.address() as { port: number }).port
}
