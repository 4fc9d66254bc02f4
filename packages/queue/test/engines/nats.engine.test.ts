import { silentLog, systemClock, systemRandom } from '@drover/kernel'
import { createNatsEngine } from '../../src/engines/nats.ts'
import type { QueueEngine } from '../../src/queue-engine.ts'
import { testEngine } from '../engine-contract.ts'
import { createNatsCluster } from './nats-server.ts'
import { eventually } from './server-process.ts'

async function connectTo(servers: readonly string[]): Promise<QueueEngine> {
  const engine = createNatsEngine({
    connection: { servers: [...servers] },
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  await eventually(() => engine.start())
  await eventually(() => engine.topics())
  return engine
}

testEngine('nats', async () => {
  const cluster = await createNatsCluster(1)
  cluster.start(0)
  let engine = await connectTo(cluster.servers)
  return {
    engine,
    async restart() {
      await engine.stop()
      await cluster.end(0)
      cluster.start(0)
      engine = await connectTo(cluster.servers)
      return engine
    },
    async close() {
      await engine.stop()
      await cluster.close()
    },
  }
}, [
  'groups',
  'idempotent-producer',
  'priority',
  'delay',
  'cancel',
  'peek',
  'limits',
  'limits-per-key',
  'compaction',
])
