import { seededRandom, silentLog, systemClock } from '@drover/kernel'
import { MemoryRequestQueue } from '../../src/service/request-queue.ts'
import { startChunks } from '../../src/service/serve.ts'

// A front in a process of its own, to be killed: PORT, FOLDER and the backends' URL are its words.
const [port, folder = '', backendsUrl = ''] = process.argv.slice(2)
const { url } = await startChunks({
  ...{ host: '127.0.0.1', port: Number(port), folder, backendsUrl },
  queue: new MemoryRequestQueue(),
  ...{ clock: systemClock, random: seededRandom(1), log: silentLog },
})
process.stdout.write(`${url}\n`)
