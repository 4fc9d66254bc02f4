import { describeError, Fault, type Service, startAll, stopAll } from '@drover/kernel'
import type { Lease, QueueEngine } from '@drover/queue'
import { deliveryOf } from '../callbacks/body.ts'
import { gather } from '../gather.ts'
import type { JobType } from '../reading/read-page.ts'
import type { ClaimedJob, ClaimStore } from '../store/claim-store.ts'
import { type ClaimKeeper, createClaimKeeper } from './claim-keeper.ts'
import { createLoop, type LoopOptions, pause } from './loop.ts'
import type { Attempt } from './run-job.ts'
import { type Slot, Slots } from './slots.ts'
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

/** The worker, and a way to tell it what has just been put into its queues. */
export interface Worker extends Service {
  /**
   * Begins what it has room for at once; the messages of these jobs are worth nothing then, and
   * nobody need wait for them. The rest comes by its queue.
   */
  offer(type: JobType, calls: readonly JobCall[]): void
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
export function createWorker(options: WorkerOptions): Worker {
  const keeper = createClaimKeeper(options)
  const handling = { ...options, keeper, suspects: createTurnstile() }
  const byType = new Map(options.types.map((type) => [type, createTypeWorker(handling, type)]))
  const loops = [...byType.values()]
  return {
    start: () => startAll([keeper, ...loops]),
    offer: (type, calls) => byType.get(type)?.offer(calls),
    async stop() {
      // What is under way is put back; the loops await that.
      await keeper.stop()
      await stopAll(loops)
    },
  }
}

function createTypeWorker(options: Common, type: JobType) {
  const { engine, workerConcurrency, claimMs, clock } = options
  const acks = createAcks(engine)
  const stopping = new AbortController()
  const waiting: Lease[] = []
  const begin = (call: JobCall | undefined, token?: string) => {
    const slot = slots.take()
    const handling = { ...options, slot, signal: stopping.signal, ack: acks.add }
    void handle(handling, call, token).finally(slot.leave)
  }
  const beginWaiting = () => {
    while (slots.free > 0) {
      const lease = waiting.shift()
      if (!lease) return
      begin(decodeCall(lease.record.value), lease.token)
    }
  }
  const slots = new Slots(workerConcurrency, clock, beginWaiting)
  const loop = createLoop({ ...options, name: `worker of type ${type}` }, async (signal) => {
    const count = slots.free + slots.ahead - waiting.length
    if (count <= 0) {
      await slots.changed()
      return
    }
    const patience = slots.taken > 0 ? 50 : waitMs
    // The store decides who works on what: a lease need not be on disk.
    const wanted = { count, leaseMs: claimMs, waitMs: patience, acks: 'memory' } as const
    waiting.push(...(await engine.lease(typeQueue(type), wanted, signal)))
    beginWaiting()
  })
  return {
    start: loop.start,
    offer(calls: readonly JobCall[]) {
      const isIdle = waiting.length === 0 && !stopping.signal.aborted
      if (isIdle) for (const call of calls.slice(0, Math.max(0, slots.free))) begin(call)
    },
    async stop() {
      stopping.abort(new Error('the worker is stopping'))
      // What was fetched ahead is handed back as its turn comes.
      await loop.stop()
      await slots.whenIdle()
      await acks.settled()
    },
  }
}

/** Acknowledges messages together. Not awaited: what is handed out again is of a job that has ended. */
function createAcks(engine: QueueEngine) {
  const gathered = gather((tokens: readonly string[]) => engine.ack(tokens))
  const open = new Set<Promise<unknown>>()
  return {
    add(token: string) {
      const acked = gathered(token)
        .catch(() => {})
        .finally(() => open.delete(acked))
      open.add(acked)
    },
    async settled() {
      await Promise.all(open)
    },
  }
}

interface Common extends WorkerOptions {
  readonly keeper: ClaimKeeper
  readonly suspects: ReturnType<typeof createTurnstile>
}

interface Handling extends Common {
  readonly slot: Slot
  readonly signal: AbortSignal
  readonly ack: (token: string) => void
}

/**
 * From a message, or the news of one, to the job's end. Never throws: what fails is handed out again,
 * or taken up when its claim ends.
 */
async function handle(options: Handling, call: JobCall | undefined, token?: string): Promise<void> {
  const { engine, clock, log, ack, suspects, signal } = options
  try {
    if (call?.suspect) await suspects.alone(() => work(options, call))
    else if (call) await work(options, call)
    if (token !== undefined) ack(token)
  } catch (error) {
    if (!signal.aborted)
      log.warn({ cause: describeError(error) }, 'a job could not be finished; it is done again')
    if (token === undefined) return
    // Where a nack hands out at once, a store that is away would be asked without a rest.
    if (engine.lacks.has('nack-delay')) await pause(clock, restMs, signal)
    await engine.nack([token]).catch(() => {
      // The lease ends by itself.
    })
  }
}

async function work(options: Handling, call: JobCall): Promise<void> {
  options.signal.throwIfAborted()
  // A job that does not begin has ended, or waits in the store: its message is worth nothing.
  const claimed = await options.claims.begin(call.id, call.run, options.claimMs)
  if (claimed) await finish(options, claimed)
}

async function finish(options: Handling, claimed: ClaimedJob): Promise<void> {
  const { claims, clock, attempt, onDelivery, keeper, slot, signal } = options
  const kept = keeper.keep(claimed)
  try {
    const ending = await attempt(claimed.job, kept.signal)
    slot.rest()
    const delivery = deliveryOf(claimed.job, ending, clock.now())
    const noted = await note(options, kept.signal, () => claims.finish(claimed, ending, delivery))
    if (noted && delivery) onDelivery()
  } catch (error) {
    if (kept.isLost) return
    if (!signal.aborted && !kept.signal.aborted) throw error
    await claims.release(claimed)
  } finally {
    kept.letGo()
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
