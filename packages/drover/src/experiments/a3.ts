import { systemClock } from '@drover/kernel'
import type { ReplicaView } from '../admin/schemas.ts'
import { type Lab, startLab } from './lab.ts'
import type { Report, Table } from './report.ts'
import { sendTogether } from './requests.ts'
import type { Run } from './run.ts'
import { quantile } from './statistics.ts'
import { until } from './until.ts'

/** How often a replica is killed, and how often one is stopped so that it hangs. */
const deaths = [
  { how: 'killed (SIGKILL)', signal: 'SIGKILL', times: 5 },
  { how: 'hanging (SIGSTOP)', signal: 'SIGSTOP', times: 2 },
] as const

/** Requests of one round of the load that runs meanwhile. */
const replicas = 3
const roundRequests = 50
const replacedMsMax = 60_000

interface Death {
  readonly how: string
  readonly victim: string
  /** None came in time. */
  readonly successor: string | undefined
  readonly replacedMs: number
}

/** every endpoint, and how long it takes until a dead replica's successor gets requests. */
export async function runA3({ isQuick, progress, stage }: Run): Promise<Report> {
  progress.step('every endpoint')
  const health = { path: '/heartbeat', interval: '500ms', timeout: '500ms', fall: 2 }
  const lab = await startLab(stage, {
    replicas,
    policy: 'slot-ring',
    manage: true,
    service: { health },
  })
  const endpoints = await callEndpoints(lab.url)
  progress.step('replicas die under load')
  const load = await stage.open(async () => startRounds(lab.url))
  const seen: Death[] = []
  for (const { how, signal, times } of deaths)
    for (let time = 0; time < (isQuick ? 1 : times); time++)
      seen.push(await dieOnce(lab, how, signal))
  await load.stop()
  return reportOf(endpoints, seen, await load.done)
}

interface Call {
  readonly call: string
  readonly expected: number
  readonly status: number
  readonly body: string
}

async function callEndpoints(url: URL): Promise<Call[]> {
  const calls: [method: string, path: string, body: string, expected: number][] = [
    ['GET', '/rep', '', 200],
    ['POST', '/add', '{"n":2,"hostnames":["S5"]}', 200],
    ['POST', '/add', '{"n":1,"hostnames":["S6","S7"]}', 400],
    ['DELETE', '/rm', '{"n":2,"hostnames":["S5"]}', 200],
    ['DELETE', '/rm', '{"n":1,"hostnames":["S6","S7"]}', 400],
    ['GET', '/home', '', 200],
    ['GET', '/heartbeat', '', 200],
    ['GET', '/other', '', 400],
  ]
  const made: Call[] = []
  for (const [method, path, body, expected] of calls) {
    const response = await fetch(new URL(path, url), {
      method,
      ...(body === '' ? {} : { body, headers: { 'content-type': 'application/json' } }),
    })
    const call = `${method} ${path} ${body}`.trim()
    made.push({ call, expected, status: response.status, body: await response.text() })
  }
  return made
}

/** Ends one replica and waits until another, that was not there before, gets requests. */
async function dieOnce(lab: Lab, how: string, signal: NodeJS.Signals): Promise<Death> {
  const victim = await until('all replicas get requests', replacedMsMax, () => victimOf(lab))
  const before = replicasOf(lab)
  if (victim.pid === null) throw new TypeError('no replica of the experiment has a process')
  const startMs = systemClock.monotonic()
  process.kill(victim.pid, signal)
  for (;;) {
    const ready = await lab.ready()
    const successor = ready.find(({ id }) => !before.includes(id))
    const elapsedMs = systemClock.monotonic() - startMs
    if (successor && ready.length >= replicas)
      return { how, victim: victim.name, successor: successor.name, replacedMs: elapsedMs }
    if (elapsedMs > replacedMsMax)
      return { how, victim: victim.name, successor: undefined, replacedMs: elapsedMs }
    await systemClock.sleep(5)
  }
}

/** A replica with a process, once all that should run get requests and none is on its way in or out. */
async function victimOf(lab: Lab): Promise<ReplicaView | undefined> {
  const ready = await lab.ready()
  const isCalm = ready.length === replicas && replicasOf(lab).length === replicas
  return isCalm ? ready.find(({ pid }) => pid !== null) : undefined
}

/** The ids of all that the supervisor has, in whatever state. */
function replicasOf({ system }: Lab): string[] {
  return (
    system.groups
      .get('web')
      ?.replicas()
      .map(({ id }) => id) ?? []
  )
}

/** Sends rounds of requests until it is stopped. */
function startRounds(url: URL) {
  let running = true
  const run = async () => {
    let [answered, failed] = [0, 0]
    while (running) {
      const { byServer, failures } = await sendTogether(new URL('/home', url), roundRequests)
      answered += sum(byServer.values())
      failed += sum(failures.values())
    }
    return { answered, failed }
  }
  const done = run()
  return {
    done,
    async stop() {
      running = false
      await done
    },
  }
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0)
}

function reportOf(
  endpoints: readonly Call[],
  seen: readonly Death[],
  load: { readonly answered: number; readonly failed: number },
): Report {
  const wrong = endpoints.filter(({ status, expected }) => status !== expected)
  const times = deaths.map(({ how }) => {
    const list = seen.filter((death) => death.how === how).map(({ replacedMs }) => replacedMs)
    return { how, median: quantile(list, 0.5), most: Math.max(...list) }
  })
  return {
    question: 'Does every endpoint do what it should, and how soon is a dead replica replaced?',
    setup: [
      '3 replicas of examples/home-server, policy slot-ring, the management API on the front door, heartbeat every 500 ms with a limit of 500 ms, two failed ones take a replica out',
      `${roundRequests} requests at the same time, again and again, while replicas die`,
      'The time runs from the signal until a replica that was not there before gets requests, and as many as before do',
    ],
    findings: [
      ...times.map(
        ({ how, median, most }) =>
          `a replica ${how} is replaced after ${Math.round(median)} ms (median; the slowest ${Math.round(most)} ms)`,
      ),
    ],
    claims: [
      {
        says:
          wrong.length === 0
            ? `all ${endpoints.length} calls were answered as the contract says`
            : `${wrong.length} of ${endpoints.length} calls were answered otherwise: ${wrong.map(({ call }) => call).join('; ')}`,
        holds: wrong.length === 0,
      },
      {
        says: `${seen.filter(({ successor }) => successor !== undefined).length} of ${seen.length} dead replicas were replaced`,
        holds: seen.every(({ successor }) => successor !== undefined),
      },
      {
        says: `${load.failed} of ${load.answered + load.failed} requests failed meanwhile`,
        holds: load.failed === 0,
      },
    ],
    charts: [
      {
        kind: 'bars',
        title: 'Until the successor gets requests',
        unit: 'ms',
        rows: seen.map(({ how, victim, replacedMs }) => ({
          label: `${victim}, ${how.split(' ')[0]}`,
          value: Math.round(replacedMs),
        })),
      },
    ],
    tables: [deathTable(seen), callTable(endpoints)],
  }
}

function deathTable(seen: readonly Death[]): Table {
  return {
    title: 'Deaths',
    heading: ['replica', 'how', 'successor', 'ms until it gets requests'],
    rows: seen.map(({ victim, how, successor, replacedMs }) => [
      victim,
      how,
      successor ?? 'none',
      Math.round(replacedMs),
    ]),
  }
}

function callTable(endpoints: readonly Call[]): Table {
  return {
    title: 'Endpoints',
    heading: ['call', 'status', 'expected', 'answer'],
    rows: endpoints.map(({ call, status, expected, body }) => [call, status, expected, body]),
  }
}
