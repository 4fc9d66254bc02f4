import type { Log } from '@drover/kernel'
import { connectQueue, type QueueEngine, startForeignQueue, startQueue } from '@drover/queue'
import { fault } from './errors.ts'

/** Which queue to work on. */
export interface EngineChoice {
  /**
   * A queue that runs already: HOST:PORT of ours, `amqp://user:password@host:5672` of RabbitMQ, or
   * `nats://host:4222` of NATS JetStream (several, with commas between them). Default one of its own.
   */
  readonly queue?: string
  /** Where a queue of its own is kept. */
  readonly folder: string
  readonly log: Log
}

/** An engine that is started, and what stops it. */
export interface OpenEngine {
  readonly engine: QueueEngine
  stop(): Promise<void>
}

const foreignNames = { amqp: 'rabbitmq', amqps: 'rabbitmq', nats: 'nats', tls: 'nats' } as const

/** Throws QUEUE_INVALID for an address that names no queue, and what the queue fails with. */
export async function openEngine({ queue, folder, log }: EngineChoice): Promise<OpenEngine> {
  if (queue === undefined) {
    const own = await startQueue({ dataFolder: folder, logger: log })
    return { engine: own.client, stop: () => own.stop() }
  }
  const scheme = /^([a-z]+):\/\//.exec(queue)?.[1]
  if (scheme === undefined) {
    const client = await connectQueue(queue, { awaitsManager: true })
    return { engine: client, stop: () => client.stop() }
  }
  if (!Object.hasOwn(foreignNames, scheme))
    throw fault('QUEUE_INVALID', `a queue is HOST:PORT, amqp://… or nats://…, not ${scheme}://…`)
  const engine = foreignNames[scheme as keyof typeof foreignNames]
  return startForeignQueue({ engine, servers: queue.split(','), logger: log })
}
