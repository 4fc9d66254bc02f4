import { connectQueue } from '@drover/queue'
import type { Claim } from './lab/claim.ts'
import { MemoryWatch } from './lab/memory-watch.ts'
import { residentBytesOf } from './lab/process-usage.ts'
import { startDrover } from './queue.ts'

const messages = 10_000_000
const batchSize = 1_000
const lanes = 16
const mebibyte = 1_048_576

/** The memory of a broker that holds many messages, while they come, while read, and after. */
export const queueMemory: Claim = {
  name: 'queue-memory',
  about: 'memory of a broker that holds 10 million messages; 4 GB of disk, a minute or more',
  async run(lab) {
    const { port, pid } = await startDrover(lab)
    const client = await connectQueue(`127.0.0.1:${port}`)
    lab.onStop(() => client.stop())
    await client.createTopic('bench', { partitions: 4, retentionMs: 0 })
    const watch = new MemoryWatch(lab, pid)
    const value = Buffer.alloc(256, 'x')
    let sent = 0
    const lane = async () => {
      while (sent < messages) {
        sent += batchSize
        const partition = (sent / batchSize) % 4
        const batch = Array.from({ length: batchSize }, () => ({ value, partition }))
        await client.produce('bench', batch)
        if (sent % 500_000 === 0) lab.progress(`${sent.toLocaleString('en')} messages`)
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    const filled = watch.stop()
    const reading = new MemoryWatch(lab, pid)
    let read = 0
    for (let partition = 0; partition < 4; partition++)
      for (let offset = 0; ; ) {
        const found = await client.fetch('bench', partition, { offset })
        if (found.records.length === 0) break
        read += found.records.length
        offset = found.nextOffset
      }
    const held = residentBytesOf(pid)
    const show = (bytes: number) => `${Math.round(bytes / mebibyte)} MiB`
    const bounds = await client.bounds('bench')
    const kept = bounds.reduce((sum, one) => sum + one.endOffset - one.firstOffset, 0)
    const bytes = bounds.reduce((sum, one) => sum + one.bytes, 0)
    lab.print(`${kept.toLocaleString('en')} messages of 256 bytes, ${show(bytes)} on disk`)
    lab.print(`the broker: at most ${show(filled)} while they came, ${show(reading.stop())} while`)
    lab.print(`${read.toLocaleString('en')} were read back, ${show(held)} after that`)
    lab.print('goal: at most 200 MiB')
  },
}
