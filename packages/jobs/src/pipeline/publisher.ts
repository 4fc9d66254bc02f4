import type { Service } from '@drover/kernel'
import type { QueueEngine } from '@drover/queue'
import type { JobType } from '../reading/read-page.ts'
import type { ClaimStore } from '../store/claim-store.ts'
import { createLoop, type LoopOptions } from './loop.ts'
import type { PipelineOptions } from './options.ts'
import { jobTypes, typeQueue } from './topics.ts'
import { encodeCall } from './wire.ts'

export interface PublisherOptions extends Omit<LoopOptions, 'name'>, PipelineOptions {
  readonly engine: QueueEngine
  readonly claims: ClaimStore
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
 * of each. It claims them first and notes afterwards that they are queued: killed in between, the
 * claim ends and they are published again, and a worker takes a job once only.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { clock, publishEveryMs, sweepEveryMs, lostMs } = options
  let sweepAtMs = 0
  let lostAtMs = clock.monotonic() + lostMs
  const bell = createBell()
  const loop = createLoop({ ...options, name: 'publisher' }, async (signal) => {
    if (clock.monotonic() >= sweepAtMs) {
      await options.claims.releaseExpired()
      await options.claims.wakeDelayed(wakeMax)
      sweepAtMs = clock.monotonic() + sweepEveryMs
    }
    if (clock.monotonic() >= lostAtMs) {
      for (const type of jobTypes) await findLost(options, type)
      lostAtMs = clock.monotonic() + lostMs
    }
    // All at once: their changes are one transaction, and no type waits for another's queue.
    const types = await options.claims.waitingTypes()
    const published = await Promise.all(types.map((type) => publish(options, type)))
    if (published.every((count) => count === 0)) await bell.wait(publishEveryMs, clock, signal)
  })
  return { start: loop.start, stop: loop.stop, wake: bell.ring }
}

/** Returns how many jobs it moved. */
async function publish(options: PublisherOptions, type: JobType): Promise<number> {
  const { engine, claims, window, claimMs } = options
  const free = window - (await claims.underWay(type))
  if (free <= 0) return 0
  const claimed = await claims.claimWaiting(type, free, claimMs)
  if (claimed.length === 0) return 0
  const messages = claimed.map(({ job: { id, run, losses } }) => ({
    value: encodeCall({ id, run, suspect: losses >= suspectLosses }),
  }))
  await engine.produce(typeQueue(type), messages)
  await claims.markQueued(claimed)
  return claimed.length
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
