import { describeError, Fault, type Service, startAll, stopAll } from '@drover/kernel'
import type { Lease, QueueEngine } from '@drover/queue'
import { deliveryOf } from '../callbacks/body.ts'
import { gather } from '../gather.ts'
import type { JobType } from '../reading/read-page.ts'
import type { ClaimedJob, ClaimStore } from '../store/claim-store.ts'
import { createLoop, type LoopOptions, pause } from './loop.ts'
import type { Attempt } from './run-job.ts'
import { typeQueue } from './topics.ts'
import { decodeCall, type JobCall } from './wire.ts'

export interface WorkerOptions extends Omit<LoopOptions, 'name'> {
  readonly engine: QueueEngine
  readonly claims: ClaimStore
  /** Does a job once. */
  readonly attempt: Attempt
  readonly types: readonly JobType[]
  readonly workerConcurrency: number
  readonly claimMs: number
  /** Called when a job has ended with a callback to send. */
  readonly onDelivery: () => void
}

/** How long one look for messages waits for the first, in ms. */
const waitMs = 1_000

/** How long a message that could not be dealt with is kept back by an engine without delays, in ms. */
const restMs = 500

/** Tries to note how a job ended while the store is away: half a minute. */
const notesMax = 60

/**
 * Does jobs, each type from its own queue. A message is acknowledged when the store has how the job
 * ended; killed before, the claim ends and the job is published and done again.
 */
export function createWorker(options: WorkerOptions): Service {
  const suspects = createTurnstile()
  const loops = options.types.map((type) => createTypeWorker({ ...options, suspects }, type))
  return { start: () => startAll(loops), stop: () => stopAll(loops) }
}

function createTypeWorker(options: Suspecting, type: JobType): Service {
  const { engine, workerConcurrency, claimMs } = options
  // Jobs that end together are acknowledged together.
  const ack = gather((tokens: readonly string[]) => engine.ack(tokens))
  const handling = { ...options, ack }
  const running = new Set<Promise<void>>()
  const loop = createLoop({ ...options, name: `worker of type ${type}` }, async (signal) => {
    const free = workerConcurrency - running.size
    // Less than none: an engine may hand out more than was asked for.
    if (free <= 0) {
      await Promise.race(running)
      return
    }
    const wanted = { count: free, leaseMs: claimMs, waitMs: running.size > 0 ? 50 : waitMs }
    for (const lease of await engine.lease(typeQueue(type), wanted, signal)) {
      const task = handle(handling, lease, signal).finally(() => running.delete(task))
      running.add(task)
    }
  })
  return {
    start: loop.start,
    async stop() {
      await loop.stop()
      await Promise.all(running)
    },
  }
}

interface Suspecting extends WorkerOptions {
  readonly suspects: ReturnType<typeof createTurnstile>
}

interface Handling extends Suspecting {
  readonly ack: (token: string) => Promise<unknown>
}

/** From a message to the job's end. Never throws: what fails is handed out again. */
async function handle(options: Handling, lease: Lease, signal: AbortSignal): Promise<void> {
  const { engine, clock, log, ack, suspects } = options
  try {
    const call = decodeCall(lease.record.value)
    if (call?.suspect) await suspects.alone(() => work(options, call, signal))
    else if (call) await work(options, call, signal)
    await ack(lease.token)
  } catch (error) {
    if (!signal.aborted)
      log.warn({ cause: describeError(error) }, 'a job could not be finished; it is done again')
    // Where a nack hands out at once, a store that is away would be asked without a rest.
    if (engine.lacks.has('nack-delay')) await pause(clock, restMs, signal)
    await engine.nack([lease.token]).catch(() => {
      // The lease ends by itself.
    })
  }
}

async function work(options: Handling, call: JobCall, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  // A job that does not begin has ended, or waits in the store: its message is worth nothing.
  const claimed = await options.claims.begin(call.id, call.run, options.claimMs)
  if (claimed) await finish(options, claimed, signal)
}

async function finish(
  options: WorkerOptions,
  claimed: ClaimedJob,
  signal: AbortSignal,
): Promise<void> {
  const { claims, clock, claimMs, attempt, log, onDelivery } = options
  const lost = new AbortController()
  const renew = async () => {
    if (!(await claims.extend(claimed, claimMs))) lost.abort(new Error('the claim is lost'))
  }
  const stopRenewing = clock.every(claimMs / 3, () => {
    renew().catch((error) => log.warn({ cause: describeError(error) }, 'a claim was not renewed'))
  })
  try {
    const both = AbortSignal.any([signal, lost.signal])
    const ending = await attempt(claimed.job, both)
    const delivery = deliveryOf(claimed.job, ending, clock.now())
    const noted = await note(options, both, () => claims.finish(claimed, ending, delivery))
    if (noted && delivery) onDelivery()
  } catch (error) {
    // A lost claim was cancelled, or is somebody else's by now: nothing is left to do here.
    if (lost.signal.aborted) return
    if (!signal.aborted) throw error
    await claims.release(claimed)
  } finally {
    stopRenewing()
  }
}

/** A job that is finished waits for a store that is away, rather than being done again. */
async function note(
  { clock }: WorkerOptions,
  signal: AbortSignal,
  finish: () => Promise<boolean>,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await finish()
    } catch (error) {
      const isAway = error instanceof Fault && error.code === 'STORE_UNAVAILABLE'
      if (!isAway || signal.aborted || attempt >= notesMax) throw error
      await pause(clock, restMs, signal)
    }
  }
}

/** Lets one through at a time. */
function createTurnstile() {
  let last: Promise<unknown> = Promise.resolve()
  return {
    alone(work: () => Promise<void>): Promise<void> {
      const mine = last.then(work)
      last = mine.catch(() => {})
      return mine
    },
  }
}
