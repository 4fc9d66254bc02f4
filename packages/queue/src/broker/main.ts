import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createLog, systemClock, systemRandom } from '@drover/kernel'
import { createNodeDisk } from '../log/node-disk.ts'
import { lockFolder } from '../manager/folder-lock.ts'
import type { LogOptions, QueueLimits } from '../options.ts'
import { listenTcp } from '../wire/tcp-server.ts'
import { Broker } from './broker.ts'
import { createBrokerHandler } from './requests.ts'

/** What the parent sends to begin with. */
export interface BrokerOrder {
  readonly name: string
  readonly folder: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly limits: QueueLimits
  readonly logOptions: LogOptions
}

/** The process of one broker: told by its parent what to do, and gone when the parent is. */
async function run(order: BrokerOrder): Promise<void> {
  const { name, folder, listen, limits, logOptions } = order
  const log = createLog(`queue.${name}`)
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
  process.on('message', (message) => {
    if (message !== 'stop') return
    void server
      .close()
      .then(() => broker.stop())
      .then(unlock)
      .finally(() => process.exit(0))
  })
  process.send?.({ address: server.address })
}

process.once('message', (order) => {
  run(order as BrokerOrder).catch((error: unknown) => {
    process.send?.({ error: String(error instanceof Error ? error.message : error) })
    process.exitCode = 1
    process.disconnect?.()
  })
})
// Killed without a word, the parent leaves us alone: nobody will come to the address we have.
process.on('disconnect', () => process.exit(1))
// A ctrl-c goes to the whole group of processes; the parent decides when we end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
