import { fault } from '../errors.ts'
import type { BrokerAdmin, QueueEngine } from '../queue-engine.ts'

/** What the one broker of an engine is called whose servers are not ours to add and remove. */
const soleBroker = 'broker0'

/** Returns a view of an engine without brokers of its own: one broker that is all of it. */
export function createSoleBroker(engine: QueueEngine): BrokerAdmin {
  const known = (name: string) => {
    if (name !== soleBroker) throw fault('BROKER_UNKNOWN', `${name} does not exist`)
  }
  const refuse = () =>
    fault('FEATURE_MISSING', `the servers of the ${engine.name} engine are not Drover's to change`)
  return {
    async brokers() {
      const partitions = (await engine.topics()).reduce((sum, topic) => sum + topic.partitions, 0)
      return [{ name: soleBroker, state: 'up', address: '', partitions }]
    },
    async addBroker(name) {
      if (name === soleBroker) throw fault('BROKER_EXISTS', `${name} already exist`)
      throw refuse()
    },
    async removeBroker(name) {
      known(name)
      throw refuse()
    },
    async testBroker(name) {
      known(name)
      await writeAndReadBack(engine)
    },
    async placement() {
      const topics = await engine.topics()
      return new Map(
        topics.map((topic) => [topic.name, Array(topic.partitions).fill(soleBroker)] as const),
      )
    },
  }
}

/** Sends a message through a topic of its own and reads it back. Throws BROKER_FAULTY. */
async function writeAndReadBack(engine: QueueEngine): Promise<void> {
  const topic = 'drover.brokertest'
  const value = Buffer.from(`test ${process.hrtime.bigint()}`)
  const topics = await engine.topics()
  if (!topics.some(({ name }) => name === topic)) await engine.createTopic(topic, { partitions: 1 })
  const [receipt] = await engine.produce(topic, [{ value }])
  const { records } = await engine.fetch(
    topic,
    0,
    { offset: receipt?.offset ?? 0 },
    { messagesMax: 1 },
  )
  if (!records[0] || !value.equals(records[0].value))
    throw fault('BROKER_FAULTY', 'a test message did not come back as it was')
}
