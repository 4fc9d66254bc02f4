import { connectQueue } from '@drover/queue'
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import PgBoss from 'pg-boss'
import { Connection } from 'rabbitmq-client'
import { cpuTimeOf } from '../lab/process-usage.ts'
import { patiently } from '../lab/until.ts'

/**
 * One client process of the queue benchmark: `queue-subject.js SUBJECT PORT SECONDS PID`, PID being
 * the server's. Prints what it measured as JSON.
 */
const [subject = '', port = '', secondsText = '3', serverPid = ''] = process.argv.slice(2)
const seconds = Number(secondsText)
const value = Buffer.alloc(256, 'x')
/** Messages under way: what a busy program has. */
const underWay = 1_024

/** What came of one kind of work. */
export interface Figure {
  /** Messages a second by the clock on the wall. */
  readonly perSecond: number
  /** CPU time of server and client together for one message, in microseconds. */
  readonly cpuMicros: number
}

/** CPU time of the server and of this process, in microseconds. */
function cpuMicrosNow(): number {
  const server = cpuTimeOf(Number(serverPid))
  const own = process.cpuUsage()
  return (server.user + server.system) * 1e6 + own.user + own.system
}

/** Calls `once` over and over from `lanes` lanes for the given time; it returns how many it did. */
async function rate(lanes: number, once: () => Promise<number>): Promise<Figure> {
  const cpuBefore = cpuMicrosNow()
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1_000
  let count = 0
  const lane = async () => {
    while (performance.now() < endsAt) {
      const done = await once()
      count += done
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return figureOf(count, startedAt, cpuBefore)
}

function figureOf(count: number, startedAt: number, cpuBefore: number): Figure {
  const perSecond = Math.round(count / ((performance.now() - startedAt) / 1_000))
  return { perSecond, cpuMicros: (cpuMicrosNow() - cpuBefore) / count }
}

async function drover() {
  const client = await patiently(() => connectQueue(`127.0.0.1:${port}`))
  await client.createTopic('bench', { partitions: 1, retentionMs: 0 })
  const message = { value, partition: 0 }
  const batch = Array.from({ length: 100 }, () => message)
  const produce = (messages: readonly (typeof message)[]) => async () =>
    (await client.produce('bench', messages)).length
  const single = await rate(underWay, produce([message]))
  const batched = await rate(64, produce(batch))
  // Two readers, so that the next answer is on its way while one is taken apart.
  const offsets = [0, 0]
  let turn = 0
  const read = await rate(offsets.length, async () => {
    const reader = turn++ % offsets.length
    const options = { messagesMax: 65_536, bytesMax: 4_194_304 }
    const found = await client.fetch('bench', 0, { offset: offsets[reader] ?? 0 }, options)
    offsets[reader] = found.records.length === 0 ? 0 : found.nextOffset
    return found.records.length
  })
  const work = await rate(8, async () => {
    const leases = await client.lease('bench', { count: 100 })
    await client.ack(leases.map(({ token }) => token))
    return leases.length
  })
  await client.stop()
  return { single, batched, read, work }
}

async function rabbit(type: 'stream' | 'quorum') {
  const connection = new Connection(`amqp://guest:guest@127.0.0.1:${port}`)
  connection.on('error', () => {})
  await connection.onConnect(60_000)
  await connection.queueDeclare({
    queue: 'bench',
    durable: true,
    arguments: { 'x-queue-type': type },
  })
  const publisher = connection.createPublisher({ confirm: true })
  const single = await rate(underWay, async () => {
    await publisher.send({ routingKey: 'bench', durable: true }, value)
    return 1
  })
  await publisher.close()
  await connection.close()
  return { single }
}

async function nats() {
  const connection = await patiently(() => connect({ servers: `127.0.0.1:${port}` }))
  const manager = await jetstreamManager(connection)
  await patiently(() => manager.streams.add({ name: 'bench', subjects: ['bench'] }))
  const stream = jetstream(connection)
  const single = await rate(underWay, async () => {
    await stream.publish('bench', value)
    return 1
  })
  await manager.consumers.add('bench', { durable_name: 'reader', ack_policy: AckPolicy.None })
  await connection.close()
  return { single }
}

async function redis() {
  const client = new Redis(Number(port), '127.0.0.1', { enableAutoPipelining: true })
  client.on('error', () => {})
  await patiently(() => client.ping())
  const single = await rate(underWay, async () => {
    await client.xadd('bench', '*', 'v', value)
    return 1
  })
  client.disconnect()
  return { single }
}

async function bullmq() {
  const connection = { port: Number(port), host: '127.0.0.1', maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  const jobs = Array.from({ length: 1_000 }, () => ({ name: 'j', data: { v: value.toString() } }))
  const total = 40_000
  for (let added = 0; added < total; added += jobs.length)
    await queue.addBulk(jobs.map((job) => ({ ...job, opts: { removeOnComplete: true } })))
  const cpuBefore = cpuMicrosNow()
  const startedAt = performance.now()
  let done = 0
  const worker = new Worker(
    'bench',
    async () => {
      done++
    },
    { connection, concurrency: 100 },
  )
  while (done < total && performance.now() < startedAt + 20_000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  const work = figureOf(done, startedAt, cpuBefore)
  await worker.close(true)
  await queue.close()
  return { work }
}

async function pgBoss() {
  const boss = new PgBoss(`postgres://bench@127.0.0.1:${port}/postgres`)
  boss.on('error', () => {})
  await patiently(() => boss.start())
  await boss.createQueue('bench')
  const jobs = Array.from({ length: 1_000 }, () => ({
    name: 'bench',
    data: { v: value.toString() },
  }))
  for (let added = 0; added < 60_000; added += jobs.length) await boss.insert(jobs)
  const work = await rate(8, async () => {
    const taken = await boss.fetch('bench', { batchSize: 100 })
    await boss.complete(
      'bench',
      taken.map(({ id }) => id),
    )
    return taken.length
  })
  await boss.stop({ graceful: false })
  return { work }
}

const subjects: Readonly<Record<string, () => Promise<object>>> = {
  drover,
  'rabbit-stream': () => rabbit('stream'),
  'rabbit-quorum': () => rabbit('quorum'),
  nats,
  redis,
  bullmq,
  'pg-boss': pgBoss,
}
const run = subjects[subject]
if (!run) throw new RangeError(`no subject ${subject}`)
process.stdout.write(JSON.stringify(await run()))
process.exit(0)
