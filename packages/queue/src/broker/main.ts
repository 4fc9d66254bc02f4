import type { LogOptions, QueueLimits } from '../options.ts'
import { serveBroker } from './serve-broker.ts'

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
  const broker = await serveBroker(order)
  process.on('message', (message) => {
    if (message === 'stop') void broker.stop().finally(() => process.exit(0))
  })
  process.send?.({ address: broker.address })
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
