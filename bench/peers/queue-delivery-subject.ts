import { connectQueue } from '@drover/queue'
import { Histogram } from '../lab/histogram.ts'
import { sendSteadily } from '../lab/steady-load.ts'

/**
 * Sends at a constant rate and notes when each message arrives: `PORT RATE SECONDS`. Sender and
 * receiver are one process, so that they have one clock; each has a connection of its own.
 */
const [port = '', rateText = '5000', secondsText = '10'] = process.argv.slice(2)
const rate = Number(rateText)
const count = rate * Number(secondsText)
/** What comes before the code is compiled and the files are there does not count. */
const warmUp = rate * 2

const sender = await connectQueue(`127.0.0.1:${port}`)
const receiver = await connectQueue(`127.0.0.1:${port}`)

async function sendAll(topic: string): Promise<void> {
  const sends: Promise<unknown>[] = []
  await sendSteadily(rate, warmUp + count, (dueMs) => {
    const value = Buffer.alloc(256)
    value.writeDoubleLE(dueMs)
    sends.push(sender.produce(topic, [{ value }]))
  })
  await Promise.all(sends)
}

type Receive = (take: (value: Uint8Array) => void) => Promise<void>

async function measure(topic: string, receive: Receive): Promise<number[]> {
  await sender.createTopic(topic, { partitions: 1 })
  const histogram = new Histogram()
  let arrived = 0
  const take = (value: Uint8Array) => {
    const sentMs = Buffer.from(value.buffer, value.byteOffset, 8).readDoubleLE()
    if (++arrived > warmUp) histogram.add(performance.now() - sentMs)
  }
  const received = (async () => {
    while (arrived < warmUp + count) await receive(take)
  })()
  await sendAll(topic)
  await received
  return [histogram.percentile(50), histogram.percentile(99), histogram.mostMs]
}

let offset = 0
const read = await measure('read', async (take) => {
  const found = await receiver.fetch('read', 0, { offset }, { waitMs: 10_000 })
  offset = found.nextOffset
  for (const { value } of found.records) take(value)
})
const work = await measure('work', async (take) => {
  const leases = await receiver.lease('work', { count: 1_000, waitMs: 10_000 })
  for (const { record } of leases) take(record.value)
  await receiver.ack(leases.map(({ token }) => token))
})
process.stdout.write(JSON.stringify({ read, work }))
process.exit(0)
