import { createLog } from '@drover/kernel'
import { startQueue } from '@drover/queue'

/** A queue of two brokers as processes: `queue-process.js SETTINGS LOGFILE`. Says when it is up. */
const [settings = '{}', file = ''] = process.argv.slice(2)
process.on('disconnect', () => process.exit(1))
await startQueue({ ...JSON.parse(settings), brokers: 2, logger: createLog('queue', { file }) })
process.send?.('up')
