import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startQueue } from '@drover/queue'
import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { nodeProgram, runProgram } from './lab/processes.ts'
import { printSyncTime } from './lab/sync-time.ts'
import { tableLines } from './lab/table.ts'
import {
  type StartServer,
  startNats,
  startPostgres,
  startRabbit,
  startRedis,
} from './peers/queue-servers.ts'
import type { Figure } from './peers/queue-subject.ts'

const seconds = 3

/** Our queue with one broker as a process of its own, as all the others are. */
export const startDrover: StartServer = async (lab) => {
  const dataFolder = join(lab.directory, 'drover')
  mkdirSync(dataFolder)
  const queue = await startQueue({ dataFolder, brokers: 1 })
  lab.onStop(() => queue.stop())
  const [broker] = await queue.client.brokers()
  const port = Number(queue.address.split(':').at(-1))
  return { port, pid: broker?.pid ?? -1, stop: () => queue.stop() }
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
  { name: 'nats', title: 'NATS JetStream file (synced every 2 min)', start: startNats },
  { name: 'redis', title: 'Redis stream, appendfsync always', start: startRedis },
  { name: 'bullmq', title: 'BullMQ, 100 at a time, same Redis', start: startRedis },
  { name: 'pg-boss', title: 'pg-boss, batches of 100', start: startPostgres },
]

const kinds = ['single', 'batched', 'read', 'work'] as const
type Kind = (typeof kinds)[number]
type Figures = Readonly<Partial<Record<Kind, Figure>>>

/** Durable messages a second through one client process: ours and the peers, each server its own. */
export const queue: Claim = {
  name: 'queue',
  about: 'durable messages a second: produce, read, work; RabbitMQ, NATS, Redis, BullMQ, pg-boss',
  async run(lab) {
    printSyncTime(lab)
    const figures = new Map<string, Figures>()
    for (const subject of subjects) figures.set(subject.name, await measure(lab, subject))
    lab.print('one client process over TCP, 256 bytes a message, 1,024 under way')
    lab.print()
    const print = (what: string, show: (figure: Figure) => string) => {
      const header = [what, 'one by one', 'batches of 100', 'read', 'lease and ack']
      const rows = subjects.map(({ name, title }) => {
        const own = figures.get(name) ?? {}
        const shown = (figure: Figure | undefined) => (figure ? show(figure) : '')
        return [title, ...kinds.map((kind) => shown(own[kind]))]
      })
      for (const line of tableLines([header, ...rows])) lab.print(line)
      lab.print()
    }
    print('messages a second', ({ perSecond }) => perSecond.toLocaleString('en'))
    print('CPU µs a message, both sides', ({ cpuMicros }) => cpuMicros.toFixed(1))
    printGoals(lab, figures)
  },
}

/** One after the other, each with a server that runs only for it. */
async function measure(lab: Lab, { name, start }: Subject): Promise<Figures> {
  lab.progress(name)
  const { port, pid, stop } = await start(lab)
  const words = [name, `${port}`, `${seconds}`, `${pid}`]
  const output = await runProgram(lab, nodeProgram('peers/queue-subject.js', words))
  await stop()
  return JSON.parse(output) as Figures
}

function printGoals(lab: Lab, figures: ReadonlyMap<string, Figures>): void {
  const ours = figures.get('drover') ?? {}
  const times = (kind: Kind, name: string, of: Kind) => {
    const [own, peer] = [ours[kind], figures.get(name)?.[of]]
    if (!own || !peer) return ''
    const byClock = (own.perSecond / peer.perSecond).toFixed(1)
    return `${byClock} × ${name} (by CPU time ${(peer.cpuMicros / own.cpuMicros).toFixed(1)} ×)`
  }
  const produce = (kind: Kind) =>
    ['rabbit-stream', 'rabbit-quorum', 'nats', 'redis']
      .map((name) => times(kind, name, 'single'))
      .join(', ')
  lab.print('goal: produce at least 8 × RabbitMQ stream and 10 × NATS')
  lab.print(`here: batches ${produce('batched')}`)
  lab.print(`      one by one ${produce('single')}`)
  lab.print('goal: read at least 1,000,000 a second')
  const { perSecond = 0, cpuMicros = 0 } = ours.read ?? {}
  const perCpuSecond = Math.round(1e6 / cpuMicros).toLocaleString('en')
  lab.print(`here: ${perSecond.toLocaleString('en')}; ${perCpuSecond} a CPU second of both sides`)
  lab.print('goal: lease and ack at least 5 × BullMQ and pg-boss')
  lab.print(`here: ${times('work', 'bullmq', 'work')}, ${times('work', 'pg-boss', 'work')}`)
}
