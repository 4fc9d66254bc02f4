import { fileURLToPath } from 'node:url'
import { runSetup } from '../queue-2p2c/course.js'

await runSetup(fileURLToPath(new URL('.', import.meta.url)), {
  brokers: ['broker1', 'broker2', 'broker3'],
  topics: { T1: ['P1', 'P2'], T2: ['P1', 'P2'], T3: ['P1', 'P2', 'P3'] },
  consumers: [
    ['T1:*', 'T2:*', 'T3:*'],
    ['T2:*', 'T1:P1'],
    ['T3:*', 'T1:P2'],
  ],
  producers: [['T1:*', 'T3:P2'], ['T1:P2', 'T2:P1'], ['T2:*'], ['T2:P2'], ['T3:*']],
})
