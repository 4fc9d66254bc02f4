import { Gauge, Registry } from 'prom-client'
import type { BrokerAdmin, QueueEngine } from '../queue-engine.ts'

/** Topics whose figures are asked for at each scrape; the first ones by name beyond it. */
const topicsMax = 200

/** Returns what Prometheus reads: figures are asked for at each scrape, nothing is counted between. */
export function createMetrics(engine: QueueEngine, admin?: BrokerAdmin) {
  const registry = new Registry()
  const registers = [registry]
  const lag = new Gauge({
    name: 'drover_queue_lag_messages',
    help: 'Messages that a group has not done yet',
    labelNames: ['topic', 'group', 'kind'],
    registers,
  })
  const work = new Gauge({
    name: 'drover_queue_work_messages',
    help: 'Messages by what workers make of them',
    labelNames: ['topic', 'state'],
    registers,
  })
  const stored = new Gauge({
    name: 'drover_queue_stored_bytes',
    help: 'Bytes of a topic on disk',
    labelNames: ['topic'],
    registers,
  })
  const brokers = new Gauge({
    name: 'drover_queue_broker_partitions',
    help: 'Partitions of a broker',
    labelNames: ['broker', 'state'],
    registers,
  })
  const askTopic = async (topic: string) => {
    const counts = await engine.counts(topic)
    for (const [state, count] of Object.entries(counts)) work.set({ topic, state }, count)
    const sums = new Map<string, number>()
    for (const one of await engine.lag(topic)) {
      const key = `${one.kind}/${one.group}`
      sums.set(key, (sums.get(key) ?? 0) + one.lag)
    }
    for (const [key, sum] of sums) {
      const [kind = '', ...rest] = key.split('/')
      lag.set({ topic, kind, group: rest.join('/') }, sum)
    }
    if (engine.lacks.has('replay')) return
    const bytes = (await engine.bounds(topic)).reduce((total, one) => total + one.bytes, 0)
    stored.set({ topic }, bytes)
  }
  return {
    contentType: registry.contentType,
    async scrape(): Promise<string> {
      for (const gauge of [lag, work, stored, brokers]) gauge.reset()
      const topics = (await engine.topics()).map(({ name }) => name).sort()
      // A broker that is down must not hide the figures of the others.
      await Promise.allSettled(topics.slice(0, topicsMax).map(askTopic))
      for (const { name, state, partitions } of (await admin?.brokers()) ?? [])
        brokers.set({ broker: name, state }, partitions)
      return registry.metrics()
    },
  }
}
