import { silentLog, systemClock } from '@drover/kernel'
import { createRabbitEngine } from '../../src/engines/rabbitmq.ts'
import type { QueueEngine } from '../../src/queue-engine.ts'
import { testEngine } from '../engine-contract.ts'
import { createRabbitServer } from './rabbit-server.ts'
import { eventually } from './server-process.ts'

async function connectTo(port: number): Promise<QueueEngine> {
  const engine = createRabbitEngine({
    connection: { hostname: '127.0.0.1', port },
    clock: systemClock,
    log: silentLog,
  })
  await eventually(() => engine.start())
  return engine
}

testEngine('rabbitmq', async () => {
  const server = await createRabbitServer()
  server.start()
  let engine = await connectTo(server.port)
  return {
    engine,
    async restart() {
      await engine.stop()
      await server.end()
      server.start()
      engine = await connectTo(server.port)
      return engine
    },
    async close() {
      await engine.stop()
      await server.close()
    },
  }
}, [
  'replay',
  'replay-by-time',
  'groups',
  'work-groups',
  'offsets',
  'partitions',
  'idempotent-producer',
  'priority',
  'delay',
  'dedupe',
  'nack-delay',
  'cancel',
  'peek',
  'limits',
  'limits-per-key',
  'retention',
  'compaction',
])
