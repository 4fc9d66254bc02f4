import { describeError, type Log, type Service } from '@drover/kernel'
import type { Lease, QueueEngine } from '@drover/queue'
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

/** How long one look for messages waits for the first, in ms. */
const waitMs = 1_000

/**
 * Takes submissions from the message queue into the store. They are acknowledged when the store has
 * them on disk; killed in between, it stores them again, which changes nothing.
 */
export function createRecorder(options: RecorderOptions): Service {
  const { engine, jobs, log, recordMax, onRecorded } = options
  return createLoop({ ...options, name: 'recorder' }, async (signal) => {
    const leases = await engine.lease(messageQueue, { count: recordMax, waitMs }, signal)
    if (leases.length === 0) return
    const good = await dropStrangers(engine, leases, log)
    try {
      await jobs.record(good.map(({ submission }) => submission))
    } catch (error) {
      await engine.nack(good.map(({ token }) => token))
      throw error
    }
    await engine.ack(good.map(({ token }) => token))
    onRecorded()
  })
}

/** A message that nobody of ours wrote goes to the dead letters; it would stop all others. */
async function dropStrangers(engine: QueueEngine, leases: readonly Lease[], log: Log) {
  const good = []
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
