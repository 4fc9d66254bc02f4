import { fileURLToPath } from 'node:url'
import { runSetup } from './course.js'

await runSetup(fileURLToPath(new URL('.', import.meta.url)), {
  brokers: ['broker1'],
  topics: { T1: ['P1', 'P2'], T2: ['P1', 'P2'] },
  consumers: [
    ['T1:P1', 'T2:P1', 'T1:P2', 'T2:P2'],
    ['T1:*', 'T2:*'],
  ],
  producers: [
    ['T1:P1', 'T2:P1', 'T1:P2', 'T2:P2'],
    ['T1:*', 'T2:*'],
  ],
})
