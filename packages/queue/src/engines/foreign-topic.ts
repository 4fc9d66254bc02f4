import { fault } from '../errors.ts'
import { checkName } from '../options.ts'

/** A server's own names have at most 255 bytes, and ours add something to a topic's. */
const topicLettersMax = 200

/** Throws NAME_INVALID for what can name no topic on a foreign server. */
export function checkForeignTopic(topic: string): void {
  checkName('topic', topic)
  if (topic.length > topicLettersMax)
    throw fault('NAME_INVALID', `a topic's name has at most ${topicLettersMax} letters here`)
}

/** Returns the headers that tell of a dead letter where it comes from, beside those that it had. */
export function deadLetterHeaders(
  topic: string,
  attempt: number,
  reason: string | undefined,
): Record<string, string> {
  return {
    'drover-topic': topic,
    'drover-attempts': String(attempt),
    ...(reason === undefined ? {} : { 'drover-reason': reason }),
  }
}
