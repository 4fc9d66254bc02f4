import { Queue, Worker } from 'bullmq'
import PgBoss from 'pg-boss'
import { cpuTimeOf } from '../lab/process-usage.ts'
import { patiently } from '../lab/until.ts'
import { startEmptyJobs } from './jobs-empty.ts'

/**
 * One client process of the job cycle: `jobs-subject.js SUBJECT PLACE PID JOBS`. PLACE is a port or a
 * folder, PID the server whose CPU time counts, too, 0 for none. Jobs are added one by one by 256
 * callers while a worker does them, 100 at a time; prints jobs a second and CPU time per job as JSON.
 */
const [subject = '', place = '', pidText = '0', jobsText = '10000'] = process.argv.slice(2)
const [pid, jobs] = [Number(pidText), Number(jobsText)]
const callers = 256
const atOnce = 100

interface Cycle {
  add(): Promise<unknown>
  /** Jobs that have ended. */
  ended(): Promise<number> | number
  stop(): Promise<void>
}

async function drover(): Promise<Cycle> {
  let [added, begun] = [0, 0]
  const empty = await startEmptyJobs(place, atOnce, () => {
    begun++
  })
  return {
    add() {
      added++
      return empty.submit({ url: 'http://site.example/', type: 2 })
    },
    // Counting in the store is work, too: it is done at the end.
    ended: async () => (begun < added ? begun : ((await empty.counts()).done ?? 0)),
    stop: empty.stop,
  }
}

async function bullmq(): Promise<Cycle> {
  const connection = { port: Number(place), host: '127.0.0.1', maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  let count = 0
  const worker = new Worker(
    'bench',
    async () => {
      count++
    },
    { connection, concurrency: atOnce, removeOnComplete: { count: 0 } },
  )
  return {
    add: () => queue.add('page', { url: 'http://site.example/', type: 2 }),
    ended: () => count,
    async stop() {
      await worker.close()
      await queue.close()
    },
  }
}

async function pgBoss(): Promise<Cycle> {
  const boss = new PgBoss(`postgres://bench@127.0.0.1:${place}/postgres`)
  boss.on('error', () => {})
  await patiently(() => boss.start())
  await boss.createQueue('bench')
  let count = 0
  let stopping = false
  const work = async () => {
    while (!stopping) {
      const taken = await boss.fetch('bench', { batchSize: atOnce })
      const ids = (taken ?? []).map(({ id }) => id)
      if (ids.length > 0) await boss.complete('bench', ids)
      else await new Promise((resolve) => setTimeout(resolve, 2))
      count += ids.length
    }
  }
  const workers = Promise.all([work(), work()])
  return {
    add: () => boss.send('bench', { url: 'http://site.example/', type: 2 }),
    ended: () => count,
    async stop() {
      stopping = true
      await workers
      await boss.stop({ graceful: false })
    },
  }
}

function cpuSeconds(): number {
  const times = [process.pid, ...(pid === 0 ? [] : [pid])].map(cpuTimeOf)
  return times.reduce((sum, { user, system }) => sum + user + system, 0)
}

/** Adds `count` jobs and waits until they have ended. */
async function cycle({ add, ended }: Cycle, count: number, before: number): Promise<void> {
  let next = 0
  const call = async () => {
    while (next < count) {
      next++
      await add()
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  while ((await ended()) < before + count) await new Promise((resolve) => setTimeout(resolve, 10))
}

const subjects: Readonly<Record<string, () => Promise<Cycle>>> = {
  drover,
  bullmq,
  'pg-boss': pgBoss,
}
const start = subjects[subject]
if (!start) throw new RangeError(`no subject ${subject}`)
const running = await start()
const warmUp = Math.ceil(jobs / 5)
await cycle(running, warmUp, 0)
const [startedAt, cpuBefore] = [performance.now(), cpuSeconds()]
await cycle(running, jobs, warmUp)
const seconds = (performance.now() - startedAt) / 1_000
const cpuUs = ((cpuSeconds() - cpuBefore) * 1e6) / jobs
process.stdout.write(JSON.stringify({ perSecond: Math.round(jobs / seconds), cpuUs }))
await running.stop()
process.exit(0)
