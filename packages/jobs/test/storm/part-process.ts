import { createLog } from '@drover/kernel'
import { startJobs } from '../../src/index.ts'

/** A part of the service as a process: `part-process.js SETTINGS LOGFILE`. Says when it is up. */
const [settings = '{}', file = ''] = process.argv.slice(2)
process.on('disconnect', () => process.exit(1))
await startJobs({ ...JSON.parse(settings), log: createLog('jobs', { file }) })
process.send?.('up')
