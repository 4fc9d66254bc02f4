import { silentLog } from '@drover/kernel'
import { startQueue } from '../../src/start-queue.ts'

/** A queue in a process of its own: `queue-process.js FOLDER HOST:PORT`. Says when it is up. */
const [dataFolder = '', tcp = ''] = process.argv.slice(2)
const log = { walBytes: 262_144, segmentBytes: 524_288 }
await startQueue({ dataFolder, tcp, brokers: 3, logger: silentLog, log })
process.send?.('up')
process.on('disconnect', () => process.exit(1))
