import type { TopicOptions } from '../../queue-engine.ts'

/**
 * Where things are in RabbitMQ. A topic is one fanout exchange and one quorum queue of its name; its
 * dead letters go to the exchange of the dead-letter topic, which is there before them:
 *
 *   exchange  drover.<topic>  ──▶  queue  drover.<topic>  ──attempts used up──▶  exchange  drover.<dead>
 *
 * The stream `<prefix>/topics` is the list of topics. No topic has its name: none has a slash.
 */
export interface RabbitLayout {
  /** The name of a topic's exchange, and of its queue. */
  name(topic: string): string
  readonly registry: string
  /** The name of a queue that is made and deleted at once. */
  settle(token: string): string
}

/** Returns the layout whose names all begin with `prefix`. */
export function createRabbitLayout(prefix: string): RabbitLayout {
  return {
    name: (topic) => `${prefix}.${topic}`,
    registry: `${prefix}/topics`,
    settle: (token) => `${prefix}/settle/${token}`,
  }
}

/** Returns the arguments of a topic's queue. */
export function queueArguments(
  layout: RabbitLayout,
  { attemptsMax, deadLetter }: Required<TopicOptions>,
): Record<string, unknown> {
  return {
    'x-queue-type': 'quorum',
    // Counts how often a message comes back, which is one less than how often it is handed out.
    'x-delivery-limit': attemptsMax - 1,
    // Dead letters wait until their new queue has confirmed them, which needs this overflow.
    'x-overflow': 'reject-publish',
    ...(deadLetter === ''
      ? {}
      : {
          'x-dead-letter-exchange': layout.name(deadLetter),
          'x-dead-letter-strategy': 'at-least-once',
        }),
  }
}
