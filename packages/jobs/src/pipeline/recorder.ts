import { describeError, Fault, type Log, type Service } from '@drover/kernel'
import type { Lease, QueueEngine } from '@drover/queue'
import type { Submission } from '../job.ts'
import type { JobStore } from '../store/job-store.ts'
import { createLoop, type LoopOptions } from './loop.ts'
import { messageQueue } from './topics.ts'
import { decodeSubmission } from './wire.ts'

export interface RecorderOptions extends Omit<LoopOptions, 'name'> {
  readonly engine: QueueEngine
  readonly jobs: JobStore
  readonly recordMax: number
  /** Called when jobs were recorded, so that a publisher in the same process need not wait. */
  readonly onRecorded: () => void
}

/** Batches that are stored and acknowledged at one time. */
const batchesMax = 3

/** How long one look for messages waits for the first, in ms. */
const waitMs = 1_000

/**
 * Takes submissions from the message queue into the store. They are acknowledged when the store has
 * them on disk; killed in between, it stores them again, which changes nothing.
 */
export function createRecorder(options: RecorderOptions): Service {
  const { engine, recordMax } = options
  // Whatever comes twice after a crash is known by its id.
  const wanted = { count: recordMax, waitMs, acks: 'memory' } as const
  const running = new Set<Promise<void>>()
  let failure: { readonly cause: unknown } | undefined

  const loop = createLoop({ ...options, name: 'recorder' }, async (signal) => {
    if (running.size >= batchesMax) await Promise.race(running)
    if (failure) {
      const { cause } = failure
      failure = undefined
      throw cause
    }
    const leases = await engine.lease(messageQueue, wanted, signal)
    if (leases.length === 0) return
    // The next ones are fetched meanwhile.
    const task = take(options, leases)
      .catch((cause) => {
        failure = { cause }
      })
      .finally(() => running.delete(task))
    running.add(task)
  })
  return {
    start: loop.start,
    async stop() {
      await loop.stop()
      await Promise.all(running)
    },
  }
}

async function take(options: RecorderOptions, leases: readonly Lease[]): Promise<void> {
  const { engine, log } = options
  const good = await dropStrangers(engine, leases, log)
  try {
    await record(options, good)
  } catch (error) {
    await engine.nack(good.map(({ token }) => token))
    throw error
  }
}

interface Taken {
  readonly token: string
  readonly submission: Submission
}

/**
 * Stores submissions and acknowledges them. When the store is there and refuses them, one of them is
 * at fault: it is found by storing each alone, and put away, so that it does not stop all others.
 */
async function record(options: RecorderOptions, taken: readonly Taken[]): Promise<void> {
  const { engine, jobs, log, onRecorded } = options
  try {
    await jobs.record(taken.map(({ submission }) => submission))
    onRecorded()
    await engine.ack(taken.map(({ token }) => token))
  } catch (error) {
    if (error instanceof Fault) throw error
    const [only, another] = taken
    if (only && !another) {
      log.error({ id: only.submission.id, cause: describeError(error) }, 'a job cannot be stored')
      await engine.nack([only.token], { dead: true, reason: 'the store refuses it' })
      return
    }
    for (const one of taken) await record(options, [one])
  }
}

/** A message that nobody of ours wrote goes to the dead letters; it would stop all others. */
async function dropStrangers(
  engine: QueueEngine,
  leases: readonly Lease[],
  log: Log,
): Promise<readonly Taken[]> {
  const good: Taken[] = []
  for (const { token, record } of leases) {
    const submission = decodeSubmission(record.value)
    if (submission) good.push({ token, submission })
    else {
      log.error({ offset: record.offset }, 'a message is no submission')
      await engine.nack([token], { dead: true, reason: 'no submission' }).catch((error) => {
        log.warn({ cause: describeError(error) }, 'the message could not be put away')
      })
    }
  }
  return good
}
