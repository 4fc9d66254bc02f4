import { fault } from '../../errors.ts'

/** One of --topics: a topic with one partition, or with all of them in turn. */
export interface Subscription {
  readonly topic: string
  /** Undefined for all: the wildcard. */
  readonly part: string | undefined
}

/** Returns the subscriptions of --topics in their order. Throws OPTION_INVALID for none. */
export function parseSubscriptions(words: readonly string[]): readonly Subscription[] {
  if (words.length === 0) throw fault('OPTION_INVALID', 'no topics, such as T1:P1 T2:*')
  return words.map(parseSubscription)
}

/** Returns what a word such as `T1:P1` or `T2:*` means. Throws OPTION_INVALID that quotes it. */
function parseSubscription(word: string): Subscription {
  const [topic = '', part = '', ...more] = word.split(':')
  if (topic === '' || part === '' || more.length > 0)
    throw fault('OPTION_INVALID', `"${word}" is no TOPIC:PARTITION such as T1:P1 or T2:*`)
  return { topic, part: part === '*' ? undefined : part }
}
