import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startQueue } from '@drover/queue'
import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { nodeProgram, runProgram } from './lab/processes.ts'
import { tableLines } from './lab/table.ts'
import {
  type StartServer,
  startNats,
  startPostgres,
  startRabbit,
  startRedis,
} from './peers/queue-servers.ts'

const seconds = 3

/** Our queue with one broker as a process of its own, as all the others are. */
const startDrover: StartServer = async (lab) => {
  const dataFolder = join(lab.directory, 'drover')
  mkdirSync(dataFolder)
  const queue = await startQueue({ dataFolder, brokers: 1 })
  lab.onStop(() => queue.stop())
  return { port: Number(queue.address.split(':').at(-1)), stop: () => queue.stop() }
}

interface Subject {
  readonly name: string
  readonly title: string
  readonly start: StartServer
}

const subjects: readonly Subject[] = [
  { name: 'drover', title: 'drover, synced before each answer', start: startDrover },
  { name: 'rabbit-stream', title: 'RabbitMQ stream, confirms (not synced)', start: startRabbit },
  { name: 'rabbit-quorum', title: 'RabbitMQ quorum queue, confirms', start: startRabbit },
  { name: 'nats', title: 'NATS JetStream file (synced every 2 min)', start: startNats(false) },
  { name: 'redis', title: 'Redis stream, appendfsync always', start: startRedis },
  { name: 'bullmq', title: 'BullMQ, 100 at a time, same Redis', start: startRedis },
  { name: 'pg-boss', title: 'pg-boss, batches of 100', start: startPostgres },
]

interface Figures {
  readonly single?: number
  readonly batched?: number
  readonly read?: number
  readonly work?: number
}

/** Durable messages a second through one client process: ours and the peers, each server its own. */
export const queue: Claim = {
  name: 'queue',
  about: 'durable messages a second: produce, read, work; RabbitMQ, NATS, Redis, BullMQ, pg-boss',
  async run(lab) {
    const figures = new Map<string, Figures>()
    for (const subject of subjects) figures.set(subject.name, await measure(lab, subject))
    lab.print(
      'one client process over TCP, 256 bytes a message, 1,024 under way; messages a second',
    )
    lab.print()
    const header = ['queue', 'one by one', 'batches of 100', 'read', 'lease and ack']
    const rows = subjects.map(({ name, title }) => {
      const { single, batched, read, work } = figures.get(name) ?? {}
      return [title, ...[single, batched, read, work].map(show)]
    })
    for (const line of tableLines([header, ...rows])) lab.print(line)
    lab.print()
    printGoals(lab, figures)
  },
}

/** One after the other, each with a server that runs only for it. */
async function measure(lab: Lab, { name, start }: Subject): Promise<Figures> {
  lab.progress(name)
  const { port, stop } = await start(lab)
  const words = [name, `${port}`, `${seconds}`]
  const output = await runProgram(lab, nodeProgram('peers/queue-subject.js', words))
  await stop()
  return JSON.parse(output) as Figures
}

function show(figure: number | undefined): string {
  return figure === undefined ? '' : figure.toLocaleString('en')
}

function printGoals(lab: Lab, figures: ReadonlyMap<string, Figures>): void {
  const ours = figures.get('drover') ?? {}
  const times = (own: number | undefined, name: string, key: keyof Figures) =>
    `${((own ?? 0) / (figures.get(name)?.[key] ?? Number.NaN)).toFixed(1)} × ${name}`
  const produce = (own: number | undefined) =>
    ['rabbit-stream', 'rabbit-quorum', 'nats', 'redis'].map((name) => times(own, name, 'single'))
  lab.print('goal: produce at least 8 × RabbitMQ stream and 10 × NATS')
  lab.print(`here: batches ${produce(ours.batched).join(', ')}`)
  lab.print(`      one by one ${produce(ours.single).join(', ')}`)
  lab.print('goal: read at least 1,000,000 a second')
  lab.print(`here: ${show(ours.read)}`)
  lab.print('goal: lease and ack at least 5 × BullMQ and pg-boss')
  lab.print(`here: ${times(ours.work, 'bullmq', 'work')}, ${times(ours.work, 'pg-boss', 'work')}`)
}
