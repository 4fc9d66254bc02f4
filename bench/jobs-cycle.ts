import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { nodeProgram, runProgram } from './lab/processes.ts'
import { median, tableLines } from './lab/table.ts'
import {
  type PeerServer,
  type StartServer,
  startPostgres,
  startRedis,
} from './peers/queue-servers.ts'

const rounds = 3

interface Subject {
  readonly name: string
  readonly title: string
  readonly jobs: number
  /** Absent: it brings its own. */
  readonly start?: StartServer
}

const subjects: readonly Subject[] = [
  { name: 'drover', title: 'drover: queue, store and worker, synced', jobs: 40_000 },
  { name: 'bullmq', title: 'BullMQ, Redis appendfsync always', jobs: 40_000, start: startRedis },
  { name: 'pg-boss', title: 'pg-boss, PostgreSQL', jobs: 6_000, start: startPostgres },
]

interface Figures {
  readonly perSecond: number
  readonly cpuUs: number
}

/** The whole way of a job through an empty worker, each kept on disk: ours and the peers. */
export const jobsCycle: Claim = {
  name: 'jobs-cycle',
  about: 'jobs a second from submission to their end with an empty worker; BullMQ, pg-boss',
  async run(lab) {
    const found = new Map<string, Figures[]>(subjects.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++)
      for (const subject of subjects) found.get(subject.name)?.push(await measure(lab, subject))
    const middle = (name: string, key: keyof Figures) =>
      median((found.get(name) ?? []).map((figures) => figures[key]))
    lab.print('one client process adds jobs one by one, 256 calls under way, and does them, 100 at')
    lab.print(`a time; CPU time is of client and server; median of ${rounds} rounds in turns`)
    lab.print()
    const header = ['jobs', 'jobs/s', 'CPU µs/job', 'jobs/s of ours', 'CPU of ours']
    const rows = subjects.map(({ name, title }) => [
      title,
      middle(name, 'perSecond').toLocaleString('en'),
      middle(name, 'cpuUs').toFixed(0),
      `${(middle('drover', 'perSecond') / middle(name, 'perSecond')).toFixed(1)} ×`,
      `${(middle(name, 'cpuUs') / middle('drover', 'cpuUs')).toFixed(1)} × less`,
    ])
    for (const line of tableLines([header, ...rows])) lab.print(line)
    lab.print()
    lab.print('goal: at least 3 × BullMQ and 5 × pg-boss')
  },
}

async function measure(lab: Lab, { name, jobs, start }: Subject): Promise<Figures> {
  lab.progress(name)
  const server: PeerServer | undefined = await start?.(lab)
  const folder = join(lab.directory, `${name}-${performance.now()}`)
  mkdirSync(folder)
  const place = server === undefined ? folder : `${server.port}`
  const words = [name, place, `${server?.pid ?? 0}`, `${jobs}`]
  const output = await runProgram(lab, nodeProgram('peers/jobs-subject.js', words))
  await server?.stop()
  return JSON.parse(output) as Figures
}
