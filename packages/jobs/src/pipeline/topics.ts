import { Fault } from '@drover/kernel'
import type { QueueEngine, TopicOptions } from '@drover/queue'
import type { JobType } from '../reading/read-page.ts'

/** Where submissions wait for the recorder. */
export const messageQueue = 'message_queue'

export const jobTypes: readonly JobType[] = [1, 2, 3]

/** Where jobs of a type wait for its workers. */
export function typeQueue(type: JobType): string {
  return `type_${type}_queue`
}

/**
 * How often a message may be handed out. The store decides how often a job is tried; a message that
 * cannot be dealt with because the store is away must not be lost for it.
 */
const attemptsMax = 1_000_000

/** A message that was not dealt with in two weeks will not be. */
const retentionMs = 1_209_600_000

/** Makes the four queues where they are missing. */
export async function ensureTopics(engine: QueueEngine): Promise<void> {
  const options: TopicOptions = {
    attemptsMax,
    ...(engine.lacks.has('nack-delay') ? {} : { backoff: { firstMs: 250, mostMs: 5_000 } }),
    ...(engine.lacks.has('partitions') ? {} : { partitions: 1 }),
    ...(engine.lacks.has('retention') ? {} : { retentionMs, retentionBytes: 0 }),
  }
  for (const topic of [messageQueue, ...jobTypes.map(typeQueue)]) {
    try {
      await engine.createTopic(topic, options)
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'TOPIC_EXISTS') throw error
    }
  }
}
