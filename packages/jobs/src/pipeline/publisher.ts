import type { Service } from '@drover/kernel'
import type { QueueEngine } from '@drover/queue'
import type { JobType } from '../reading/read-page.ts'
import type { ClaimStore, PublishedJob, WaitingType } from '../store/claim-store.ts'
import { createLoop, type LoopOptions } from './loop.ts'
import type { PipelineOptions } from './options.ts'
import { jobTypes, typeQueue } from './topics.ts'
import { encodeCall, type JobCall } from './wire.ts'

export interface PublisherOptions extends Omit<LoopOptions, 'name'>, PipelineOptions {
  readonly engine: QueueEngine
  readonly claims: ClaimStore
  /** Called with what goes to a queue, so that a worker in the same process need not wait for it. */
  readonly onPublish: (type: JobType, calls: readonly JobCall[]) => void
}

/** The publisher, and a way to tell it that there is something new. */
export interface Publisher extends Service {
  wake(): void
}

/**
 * From so many dead workers on, a job is done one at a time with its like: the one that kills them is
 * told from those that were only there.
 */
const suspectLosses = 2

/** Delayed jobs that are woken at one time. */
const wakeMax = 1_000

/**
 * Moves jobs from the store to the queues of their types, the types in turn, no more than the window
 * of each. It claims them first, and notes when it sweeps that they are queued, by when workers have
 * begun most of them: killed in between, the claim ends and they are published again, and a worker
 * takes a job once only.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { clock, publishEveryMs, sweepEveryMs, lostMs } = options
  let sweepAtMs = 0
  let lostAtMs = clock.monotonic() + lostMs
  const bell = createBell()
  const outbox = createOutbox(options)
  const loop = createLoop({ ...options, name: 'publisher' }, async (signal) => {
    outbox.check()
    if (clock.monotonic() >= sweepAtMs) {
      await outbox.note()
      await options.claims.releaseExpired()
      await options.claims.wakeDelayed(wakeMax)
      sweepAtMs = clock.monotonic() + sweepEveryMs
    }
    if (clock.monotonic() >= lostAtMs) {
      for (const type of jobTypes) await findLost(options, type)
      lostAtMs = clock.monotonic() + lostMs
    }
    // All at once: their changes are one transaction, and no type waits for another's queue.
    const waiting = await options.claims.survey()
    const published = await Promise.all(waiting.map((one) => publish(options, one, outbox)))
    if (published.every((count) => count === 0)) await bell.wait(publishEveryMs, clock, signal)
  })
  return {
    start: loop.start,
    async stop() {
      await loop.stop()
      await outbox.close()
    },
    wake: bell.ring,
  }
}

/** Returns how many jobs it moved. */
async function publish(
  { claims, window, claimMs }: PublisherOptions,
  { type, underWay, owners }: WaitingType,
  outbox: Outbox,
): Promise<number> {
  const free = window - underWay
  if (free <= 0) return 0
  const claimed = await claims.claimWaiting(type, free, claimMs, owners)
  if (claimed.length > 0) outbox.send(type, claimed)
  return claimed.length
}

type Outbox = ReturnType<typeof createOutbox>

/** What is on its way to the queues, and what has arrived there without the store knowing it yet. */
function createOutbox({ engine, claims, onPublish }: PublisherOptions) {
  const sending = new Set<Promise<void>>()
  const arrived = new Set<string>()
  let failure: { readonly cause: unknown } | undefined
  const send = async (type: JobType, jobs: readonly PublishedJob[]) => {
    const calls = jobs.map(({ id, run, losses }) => ({ id, run, suspect: losses >= suspectLosses }))
    const messages = calls.map((call) => ({ value: encodeCall(call) }))
    const sent = engine.produce(typeQueue(type), messages)
    onPublish(type, calls)
    await sent
    for (const { claim } of jobs) arrived.add(claim)
  }
  const note = async () => {
    const noted = [...arrived]
    await claims.markQueued(noted)
    for (const claim of noted) arrived.delete(claim)
  }
  return {
    /** Sends jobs to their queue; the publisher goes on meanwhile. */
    send(type: JobType, jobs: readonly PublishedJob[]) {
      const sent = send(type, jobs)
        .catch((cause) => {
          failure = { cause }
        })
        .finally(() => sending.delete(sent))
      sending.add(sent)
    },
    /** Throws what sending has failed with. */
    check() {
      const failed = failure
      failure = undefined
      if (failed) throw failed.cause
    },
    note,
    /** Notes what it can; the claims of the rest end by themselves. */
    async close() {
      await Promise.all(sending)
      await note().catch(() => {})
    },
  }
}

/** A queue that has less than the store believes to be in it has lost some; nobody knows which. */
async function findLost({ engine, claims, clock, lostMs, log }: PublisherOptions, type: JobType) {
  const sinceMs = clock.now() - lostMs
  const believed = await claims.queuedBefore(type, sinceMs)
  if (believed === 0) return
  const { ready, leased, delayed } = await engine.counts(typeQueue(type), 'workers')
  if (ready + leased + delayed >= believed) return
  const found = await claims.requeueLost(type, sinceMs)
  if (found > 0) log.warn({ type, found }, 'jobs that their queue had lost are published again')
}

/** A wait that can be cut short, also just before it begins. */
function createBell() {
  let rung = false
  let end = () => {}
  return {
    ring() {
      rung = true
      end()
    },
    async wait(delayMs: number, clock: PublisherOptions['clock'], signal: AbortSignal) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(delayMs, resolve)
          end = () => {
            cancel()
            resolve()
          }
          signal.addEventListener('abort', end, { once: true })
        })
        signal.removeEventListener('abort', end)
      }
      rung = false
      end = () => {}
    },
  }
}
