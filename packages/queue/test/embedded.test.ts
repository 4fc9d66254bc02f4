import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@drover/kernel'
import { startQueue } from '../src/start-queue.ts'
import { testEngine } from './engine-contract.ts'

for (const runBrokers of ['here', 'processes'] as const)
  testEngine(`embedded, brokers ${runBrokers}`, async () => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'queue-'))
    const start = () => startQueue({ dataFolder, brokers: 2, runBrokers, logger: silentLog })
    let queue = await start()
    return {
      engine: queue.client,
      async restart() {
        await queue.stop()
        queue = await start()
        return queue.client
      },
      async close() {
        await queue.stop()
        await rm(dataFolder, { recursive: true, force: true })
      },
    }
  })
