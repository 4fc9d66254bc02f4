import { systemClock } from '@drover/kernel'
import type { System } from '../system.ts'
import { type Call, createClient, failuresOf } from './calls.ts'
import { type Pipeline, pipelineSetup, startPipeline } from './pipeline.ts'
import type { Report } from './report.ts'
import type { Run } from './run.ts'
import { quantile } from './statistics.ts'
import { until } from './until.ts'

/** Submissions a second, whatever becomes of those before. */
const perSecond = 40
/** The chart's points. */
const binMs = 250
const doneMsMax = 60_000
const queueMsMax = 30_000

/** A time in which there was no queue, on the monotonic clock. */
interface Outage {
  readonly how: string
  readonly fromMs: number
  readonly toMs: number
}

/** The queue is stopped and started, and killed, while submissions go on: none that was accepted is lost. */
export async function runQueueRestart({ stage, progress, isQuick }: Run): Promise<Report> {
  progress.step('starting the pipeline')
  const pipeline = await startPipeline(stage, { policy: 'round-robin', workers: 1 })
  const pauseMs = isQuick ? 700 : 3_000
  const submissions = await stage.open(async () => submitSteadily(pipeline))
  const outages: Outage[] = []
  progress.step('submissions go on')
  await systemClock.sleep(pauseMs)
  progress.step('the queue is stopped and started')
  outages.push(await stopQueue(pipeline.lab.system, pauseMs))
  await systemClock.sleep(pauseMs)
  progress.step('the queue is killed')
  outages.push(await killQueue(pipeline.lab.system))
  await systemClock.sleep(pauseMs)
  await submissions.stop()
  const calls = await submissions.calls
  progress.step('every job that was accepted is done')
  const jobs = await awaitJobs(pipeline, calls)
  return reportOf(pipeline, { calls, outages, jobs })
}

/** Submits a page every so often until it is stopped; `calls` has them when all are answered. */
function submitSteadily({ lab, token, site }: Pipeline) {
  const client = createClient(lab.url)
  const submit = client.submit(token, site.url)
  const made: Promise<Call>[] = []
  const cancel = systemClock.every(1_000 / perSecond, () => made.push(submit(made.length)))
  const over = Promise.withResolvers<void>()
  return {
    calls: over.promise.then(() => Promise.all(made)),
    async stop() {
      cancel()
      over.resolve()
      await Promise.all(made)
      await client.stop()
    },
  }
}

async function stopQueue(system: System, pauseMs: number): Promise<Outage> {
  const queue = queueOf(system)
  const fromMs = systemClock.monotonic()
  await queue.scale(0, 'the experiment stops it')
  await until('the queue has ended', queueMsMax, () => queue.replicas().length === 0)
  await systemClock.sleep(pauseMs)
  await queue.scale(1, 'the experiment starts it')
  await whenReady(system)
  return { how: 'stopped', fromMs, toMs: systemClock.monotonic() }
}

async function killQueue(system: System): Promise<Outage> {
  const fromMs = systemClock.monotonic()
  const [before] = queueOf(system).replicas()
  if (!before?.pid) throw new TypeError('the queue has no process')
  process.kill(before.pid, 'SIGKILL')
  const isAnother = () =>
    queueOf(system)
      .replicas()
      .some(({ id }) => id !== before.id)
  await until('another queue is started', queueMsMax, isAnother)
  await whenReady(system)
  return { how: 'killed', fromMs, toMs: systemClock.monotonic() }
}

function queueOf(system: System) {
  const queue = system.groups.get('queue')
  if (!queue) throw new TypeError('the pipeline has no queue')
  return queue
}

async function whenReady(system: System): Promise<void> {
  const [replica] = queueOf(system).replicas()
  if (replica) await system.balancer.whenReady(replica.id, AbortSignal.timeout(queueMsMax))
}

/** A job as the API lists it. */
interface Listed {
  readonly id: string
  readonly state: string
  readonly url: string
  readonly completedAt?: string
}

/** Waits until every accepted job has ended, and returns all jobs by their ids. */
async function awaitJobs(
  { lab, token }: Pipeline,
  calls: readonly Call[],
): Promise<ReadonlyMap<string, Listed>> {
  let jobs: ReadonlyMap<string, Listed> = new Map()
  const haveEnded = async () => {
    jobs = await listJobs(lab.url, token)
    return idsOf(calls).every((id) => ['done', 'dead'].includes(jobs.get(id)?.state ?? ''))
  }
  await until('every accepted job has ended', doneMsMax, haveEnded).catch(() => {
    // The report says which have not: that is what the experiment is about.
  })
  return jobs
}

async function listJobs(url: URL, token: string): Promise<ReadonlyMap<string, Listed>> {
  const jobs = new Map<string, Listed>()
  const headers = { authorization: `Bearer ${token}` }
  for (let after: string | undefined = ''; after !== undefined; ) {
    const query = `limit=500${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`
    const response = await fetch(new URL(`/v1/jobs?${query}`, url), { headers })
    const page = (await response.json()) as { jobs?: Listed[]; next?: string }
    for (const job of page.jobs ?? []) jobs.set(job.id, job)
    after = page.next
  }
  return jobs
}

function idsOf(calls: readonly Call[]): string[] {
  return calls.flatMap(({ job }) => (job === undefined ? [] : [job]))
}

interface Seen {
  readonly calls: readonly Call[]
  readonly outages: readonly Outage[]
  readonly jobs: ReadonlyMap<string, Listed>
}

function reportOf({ site }: Pipeline, seen: Seen): Report {
  const { calls, outages, jobs } = seen
  const accepted = idsOf(calls)
  const states = accepted.map((id) => jobs.get(id)?.state ?? 'lost')
  const notDone = states.filter((state) => state !== 'done')
  const untold = jobs.size - new Set(accepted).size
  const fetchedOf = (id: string) =>
    site.fetched.get(new URL(jobs.get(id)?.url ?? site.url).pathname)
  const fetched = accepted.map((id) => fetchedOf(id) ?? 0)
  const waits = calls.map(({ sentMs, answeredMs }) => answeredMs - sentMs)
  const refused = calls.length - accepted.length
  return {
    question:
      'Is anything lost when the queue is stopped, started and killed while submissions go on?',
    findings: [
      `${calls.length} submissions, ${perSecond} a second: ${accepted.length} were accepted, ${refused} were not${failuresOf(calls)}`,
      ...outages.map(
        ({ how, fromMs, toMs }) =>
          `the queue was ${how}, and away for ${((toMs - fromMs) / 1_000).toFixed(1)} s`,
      ),
      `half of the submissions were answered within ${quantile(waits, 0.5).toFixed(0)} ms; the longest wait was ${(Math.max(...waits) / 1_000).toFixed(1)} s: the API waits for the queue, and its clients with it`,
      `${fetched.filter((count) => count > 1).length} pages were fetched more than once (what a step has in its hands when the queue goes may be done again)`,
      ...(untold > 0
        ? [`${untold} jobs were done whose submission had not been told to be accepted`]
        : []),
    ],
    claims: [
      {
        says: `${accepted.length - notDone.length} of ${accepted.length} accepted jobs are done${notDone.length > 0 ? `; the others are ${[...new Set(notDone)].join(', ')}` : ''}`,
        holds: notDone.length === 0,
      },
      {
        says: 'every accepted page was fetched, and no two submissions are the same job',
        holds: fetched.every((count) => count > 0) && new Set(accepted).size === accepted.length,
      },
    ],
    ...drawn(seen),
    setup: [
      pipelineSetup,
      `${perSecond} submissions a second by POST /receive_data, each of another page of a site in this process, whether or not those before are answered`,
      'Stopped: the queue service is scaled to 0 and, after a pause, to 1 again (SIGTERM to the manager, which ends its broker). Killed: SIGKILL to the manager; the supervisor starts another. Same port, same folder',
      'A submission is accepted when it is answered with 200; then the queue has it on disk',
    ],
  }
}

/** How accepted, done and waiting went over time, with the outages marked. */
function drawn({ calls, outages, jobs }: Seen): Pick<Report, 'charts' | 'tables'> {
  const startMs = Math.min(...calls.map(({ sentMs }) => sentMs))
  const wallMs = systemClock.now() - systemClock.monotonic()
  const acceptedMs = calls.filter(({ job }) => job).map(({ answeredMs }) => answeredMs)
  const doneMs = idsOf(calls).flatMap((id) => {
    const at = jobs.get(id)?.completedAt
    return at === undefined ? [] : [Date.parse(at) - wallMs]
  })
  const binOf = (atMs: number) => Math.floor((atMs - startMs) / binMs)
  const bins = Array.from({ length: binOf(Math.max(...acceptedMs, ...doneMs)) + 1 }, (_, at) => at)
  const rates = (times: readonly number[]) => {
    const counts = bins.map(() => 0)
    for (const time of times) counts[binOf(time)] = (counts[binOf(time)] ?? 0) + 1
    return counts.map((count) => (count * 1_000) / binMs)
  }
  const waiting = bins.map((bin) => {
    const atMs = startMs + (bin + 1) * binMs
    return calls.filter(({ sentMs, answeredMs }) => sentMs <= atMs && answeredMs > atMs).length
  })
  const common = {
    points: bins.map((bin) => ((bin * binMs) / 1_000).toFixed(1)),
    axis: 'seconds since the first submission',
    bands: outages.map(({ how, fromMs, toMs }) => ({
      ...{ from: (fromMs - startMs) / binMs, to: (toMs - startMs) / binMs },
      label: `queue ${how}`,
    })),
  }
  return {
    charts: [
      {
        ...{ kind: 'lines', title: 'Accepted and done', unit: 'jobs/s', ...common },
        series: [
          { name: 'accepted', values: rates(acceptedMs) },
          { name: 'done', values: rates(doneMs) },
        ],
      },
      {
        ...{ kind: 'lines', title: 'Waiting for their answer', unit: 'submissions', ...common },
        series: [{ name: 'sent and not answered', values: waiting }],
      },
    ],
    tables: [
      {
        title: 'Submissions',
        heading: ['sent', 'accepted', 'refused', 'done', 'jobs in all'],
        rows: [
          [
            calls.length,
            acceptedMs.length,
            calls.length - acceptedMs.length,
            doneMs.length,
            jobs.size,
          ],
        ],
      },
      {
        title: 'The queue',
        heading: ['how', 'away from, s', 'until, s'],
        rows: outages.map(({ how, fromMs, toMs }) => [
          how,
          ((fromMs - startMs) / 1_000).toFixed(2),
          ((toMs - startMs) / 1_000).toFixed(2),
        ]),
      },
    ],
  }
}
