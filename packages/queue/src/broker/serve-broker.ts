import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createLog, type Log, systemClock, systemRandom } from '@drover/kernel'
import { createNodeDisk } from '../log/node-disk.ts'
import { lockFolder } from '../manager/folder-lock.ts'
import { type LogOptions, limitDefaults, logDefaults, type QueueLimits } from '../options.ts'
import { listenTcp } from '../wire/tcp-server.ts'
import { Broker } from './broker.ts'
import { createBrokerHandler } from './requests.ts'

/** What one broker is started with. */
export interface BrokerSettings {
  readonly name: string
  readonly folder: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly limits?: QueueLimits
  readonly logOptions?: LogOptions
  readonly log?: Log
}

/** A broker that runs in this process. */
export interface RunningBroker {
  /** HOST:PORT of its binary protocol. */
  readonly address: string
  stop(): Promise<void>
}

/** Starts a broker in this process. Throws FOLDER_IN_USE, LOG_DAMAGED, and EADDRINUSE of the system. */
export async function serveBroker(settings: BrokerSettings): Promise<RunningBroker> {
  const { name, folder, listen } = settings
  const { limits = limitDefaults, logOptions = logDefaults } = settings
  const log = settings.log ?? createLog(`queue.${name}`)
  const data = join(folder, 'data')
  await mkdir(data, { recursive: true })
  const unlock = await lockFolder(folder, systemClock)
  const disk = createNodeDisk(data)
  const using = { name, disk, clock: systemClock, random: systemRandom, log, limits, logOptions }
  const broker = new Broker(using)
  await broker.start()
  const frameBytesMax = limits.batchBytesMax + 1_048_576
  const handler = createBrokerHandler(broker)
  const server = await listenTcp(listen, { handler, clock: systemClock, log, frameBytesMax })
  const stop = async () => {
    await server.close()
    await broker.stop()
    await unlock()
  }
  return { address: server.address, stop }
}
