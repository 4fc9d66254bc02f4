import type { TopicInfo, TopicOptions } from '../../queue-engine.ts'

/**
 * Where things are in JetStream. Each partition is a stream of its own, so that its sequence numbers,
 * less one, are its offsets without gaps:
 *
 *   stream    drover_<topic>_<partition>      subject  drover.<topic>.<partition>
 *   consumer  w_<group>, one durable pull consumer for each group of workers
 *
 * A dot, which splits subjects, stands as a tilde, which no name has. The stream of partition 0 tells
 * in its description how many there are and the topic's options; it is made last and deleted last.
 */
export interface NatsLayout {
  stream(topic: string, partition: number): string
  subject(topic: string, partition: number): string
  consumer(group: string): string
  /** The topic whose partition 0 a stream is; undefined for another stream. */
  topicOf(stream: string): string | undefined
  groupOf(consumer: string): string | undefined
}

/** Returns the layout whose names all begin with `prefix`. */
export function createNatsLayout(prefix: string): NatsLayout {
  const encode = (name: string) => name.replaceAll('.', '~')
  const decode = (name: string) => name.replaceAll('~', '.')
  const between = (text: string, start: string, end: string) =>
    text.startsWith(start) && text.endsWith(end) && text.length > start.length + end.length
      ? decode(text.slice(start.length, text.length - end.length))
      : undefined
  return {
    stream: (topic, partition) => `${prefix}_${encode(topic)}_${partition}`,
    subject: (topic, partition) => `${prefix}.${encode(topic)}.${partition}`,
    consumer: (group) => `w_${encode(group)}`,
    topicOf: (stream) => between(stream, `${prefix}_`, '_0'),
    groupOf: (consumer) => between(consumer, 'w_', ''),
  }
}

/** Returns what the stream of partition 0 says of its topic. */
export function describeTopic(partitions: number, options: Required<TopicOptions>): string {
  return JSON.stringify({ drover: 1, partitions, options })
}

/** The topic that a stream describes; undefined when it is none of ours. */
export function parseTopic(name: string, description: string | undefined): TopicInfo | undefined {
  if (!description?.startsWith('{"drover":1,')) return undefined
  const { partitions, options } = JSON.parse(description) as Omit<TopicInfo, 'name'>
  return { name, partitions, options: { ...options, partitions } }
}
