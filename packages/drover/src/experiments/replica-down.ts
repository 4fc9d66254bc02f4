import { systemClock } from '@drover/kernel'
import { type Call, callMany, countByReplica, createClient } from './calls.ts'
import { startLab } from './lab.ts'
import { type Pipeline, pipelineSetup, replicaNames, startPipeline } from './pipeline.ts'
import { sayAnswered } from './policies.ts'
import type { Report } from './report.ts'
import type { Run } from './run.ts'
import { until } from './until.ts'

const callsEach = 100
/** The replica dies after this many calls of its phase. */
const callsBefore = 20
const downName = 'Server 3'
const noticeMsMax = 10_000

interface Phase {
  readonly name: string
  readonly calls: readonly Call[]
  readonly counts: readonly number[]
}

/** One of three replicas dies and stays down: the others answer, half of the calls each. */
export async function runReplicaDown({ stage, progress }: Run): Promise<Report> {
  progress.step('starting the pipeline')
  const pipeline = await startPipeline(stage, { policy: 'round-robin', workers: 0 })
  const { pids, addresses } = await replicasOf(pipeline)
  // A door of its own over fixed addresses: nobody puts another replica in the place of the dead one.
  const door = await startLab(stage, {
    replicas: addresses.length,
    policy: 'round-robin',
    workers: 0,
    service: { addresses, health: { path: '/v1/health', interval: '500ms', fall: 2 } },
  })
  const client = await stage.open(async () => createClient(door.url))
  const phases: Phase[] = []
  const measure = async (name: string, call: () => Promise<Call[]>) => {
    const calls = await call()
    phases.push({ name, calls, counts: countByReplica(calls, replicaNames) })
  }
  const submit = client.submit(pipeline.token, pipeline.site.url)
  progress.step('all three are up')
  await measure('all up', () => callMany(client.test, callsEach, 1))
  progress.step(`${downName} is killed while calls go on`)
  let killedMs = 0
  await measure('while it dies', async () => {
    const before = await callMany(client.test, callsBefore, 1)
    killedMs = systemClock.monotonic()
    process.kill(pids[2] ?? 0, 'SIGKILL')
    return [...before, ...(await callMany(client.test, callsEach - callsBefore, 1))]
  })
  const isOut = async () => (await door.ready()).length === replicaNames.length - 1
  await until('the door notices that a replica is dead', noticeMsMax, isOut)
  const noticedMs = systemClock.monotonic() - killedMs
  progress.step(`${downName} is down`)
  await measure('down', () => callMany(client.test, callsEach, 1))
  await measure('down, submissions', () => callMany(submit, callsEach, 1))
  return reportOf(phases, noticedMs)
}

/** Where the API replicas are, in the order of their names. */
async function replicasOf({ lab }: Pipeline) {
  const ready = await lab.ready()
  const replicas = replicaNames.map((name) => ready.find((one) => one.name === name))
  return {
    pids: replicas.map((replica) => replica?.pid ?? 0),
    addresses: replicas.map((replica) => replica?.address ?? ''),
  }
}

function reportOf(phases: readonly Phase[], noticedMs: number): Report {
  const down = phases.filter(({ name }) => name.startsWith('down'))
  return {
    question: 'Who answers when one of three replicas is down, and does a client notice?',
    findings: [
      ...phases.map(({ name, counts }) => `${name}: ${counts.join(' / ')}`),
      `the door sent ${downName} nothing more at the latest ${Math.round(noticedMs)} ms after it was killed`,
    ],
    claims: [
      ...phases.map(({ name, calls }) => sayAnswered({ kind: name, calls })),
      ...down.map(({ name, counts }) => ({
        says: `${name}: half each for the two that are left`,
        holds: counts.join() === '50,50,0',
      })),
    ],
    charts: phases.map(({ name, counts }) => ({
      kind: 'bars',
      title: name,
      unit: 'calls',
      rows: replicaNames.map((label, index) => ({
        label,
        value: counts[index] ?? 0,
        ...(name === 'while it dies' ? {} : { expected: expectedOf(name, label) }),
      })),
    })),
    tables: [
      {
        title: 'Calls that each replica answered',
        heading: ['', ...replicaNames, 'failed', 'course'],
        rows: phases.map(({ name, calls, counts }) => [
          name,
          ...counts,
          calls.filter(({ replica }) => replica === undefined).length,
          name === 'down' ? '50 / 50 / 0' : '',
        ]),
      },
    ],
    setup: [
      pipelineSetup,
      `Policy round-robin over the addresses of the three replicas, asked for /v1/health every 500 ms; ${callsEach} calls of each kind, one after the other, on one connection`,
      `${downName} is killed with SIGKILL after ${callsBefore} calls of the second hundred, and its address stays dead; calls that it leaves without an answer are repeated by the door at another replica`,
    ],
    reported: ['One of three replicas down: 50 % each for the two others'],
  }
}

function expectedOf(phase: string, name: string): number {
  if (phase === 'all up') return callsEach / 3
  return name === downName ? 0 : callsEach / 2
}
