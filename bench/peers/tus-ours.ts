import { MemoryRequestQueue, startChunks } from '@drover/chunks'
import { silentLog, systemClock, systemRandom } from '@drover/kernel'

// The front of the chunk service alone: PORT and the folder of its uploads are its words.
const [port, folder = ''] = process.argv.slice(2)
await startChunks({
  ...{ host: '127.0.0.1', port: Number(port), folder, backendsUrl: 'http://127.0.0.1:1' },
  queue: new MemoryRequestQueue(),
  ...{ clock: systemClock, random: systemRandom, log: silentLog },
})
