import { type Clock, seededRandom } from '@drover/kernel'
import { QueueClient, type QueueClientOptions } from '../../src/client/queue-client.ts'
import { topicDefaults } from '../../src/options.ts'
import type { Link, Reply } from '../../src/wire/link.ts'

type Call = Link['call']

/** Returns a link that answers with `call`. */
export function linkOf(call: Call): Link {
  return { call, async close() {} }
}

/** Returns an answer without batches. */
export function reply(result: unknown): Reply {
  return { result, bytes: Buffer.alloc(0) }
}

/**
 * Returns a client of one topic `t` with a partition at each of `owners`, of which those that are in
 * `links` when the manager is asked are up.
 */
export function clientOf(
  owners: readonly string[],
  links: Readonly<Record<string, Link>>,
  clock: Clock,
  options: Partial<QueueClientOptions> = {},
): QueueClient {
  const partitions = owners.map((broker, index) => ({ id: index + 1, broker, epoch: 1 }))
  const topic = { name: 't', options: topicDefaults, partitions, ready: true }
  const brokers = () => Object.fromEntries(Object.keys(links).map((name) => [name, name]))
  return new QueueClient({
    manager: linkOf(async () => reply({ version: 1, topics: [topic], brokers: brokers() })),
    connect: (name) => links[name] ?? linkOf(async () => reply(null)),
    ...{ clock, random: seededRandom(1), patienceMs: 1_000 },
    ...options,
  })
}
