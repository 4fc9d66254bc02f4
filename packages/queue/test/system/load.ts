import { Fault } from '@drover/kernel'
import type { QueueClient } from '../../src/client/queue-client.ts'
import { History } from '../simulation/history.ts'

/** What a load is about, and whether it goes on. */
interface Load {
  readonly topic: string
  readonly partitions: number
  readonly history: History
  readonly going: () => boolean
}

/** A load that goes on until it is ended. */
export interface RunningLoad {
  /** How many messages were acknowledged so far. */
  readonly acked: number
  /** Resolves when this many more have been acknowledged since it was last asked. */
  more(count: number): Promise<void>
  /** Ends it; throws when the log is not what its clients were told. */
  end(): Promise<void>
}

/** Two produce to the topic, one reads and one works, each over a connection of `connect`. */
export async function startLoad(
  connect: () => QueueClient | Promise<QueueClient>,
  topic: string,
  partitions: number,
): Promise<RunningLoad> {
  const history = new History()
  let isGoing = true
  const load: Load = { topic, partitions, history, going: () => isGoing }
  const client = await connect()
  const actors = Promise.all([
    produceLoad(client, load, 'a'),
    produceLoad(await connect(), load, 'b'),
    readLoad(await connect(), load),
    workLoad(await connect(), load),
  ])
  // Whoever ends the load is told.
  actors.catch(() => {})
  let seen = 0
  return {
    get acked() {
      return history.acked.size
    },
    async more(count) {
      await until(`${count} more messages`, () => history.acked.size > seen + count)
      seen = history.acked.size
    },
    async end() {
      isGoing = false
      await actors
      history.check(await contentsOf(client, load))
    },
  }
}

/** Produces numbered messages; what was acknowledged is in the history. */
async function produceLoad(client: QueueClient, load: Load, name: string): Promise<void> {
  const { topic, partitions, history, going } = load
  for (let count = 0; going(); ) {
    const partition = count % partitions
    const values = Array.from(
      { length: 9 },
      () => `${name}-${String(count++)}-${'x'.repeat(count % 200)}`,
    )
    const messages = values.map((value) => ({ value: Buffer.from(value), partition }))
    await unlessFault(async () => {
      const receipts = await client.produce(topic, messages)
      for (const [at, receipt] of receipts.entries())
        history.acked.set(values[at] ?? '', `${partition}:${receipt.offset}`)
    })
  }
}

/** Reads everything as it comes: what is seen once must be there for ever. */
async function readLoad(client: QueueClient, load: Load): Promise<void> {
  const { topic, partitions, history, going } = load
  const next = new Array<number>(partitions).fill(0)
  for (let turn = 0; going(); turn++) {
    const partition = turn % partitions
    await unlessFault(async () => {
      const from = { offset: next[partition] ?? 0 }
      const fetched = await client.fetch(topic, partition, from, { waitMs: 20 })
      for (const record of fetched.records)
        history.read(partition, record.offset, record.value.toString())
      next[partition] = fetched.nextOffset
    })
  }
}

/** Takes work and acknowledges it: nothing acknowledged may come again. */
async function workLoad(client: QueueClient, load: Load): Promise<void> {
  const { topic, history, going } = load
  while (going())
    await unlessFault(async () => {
      const leases = await client.lease(topic, { count: 50, leaseMs: 3_000, waitMs: 50 })
      for (const { record } of leases)
        history.lease(record.partition, record.offset, record.value.toString())
      const outcomes = await client.ack(leases.map(({ token }) => token))
      for (const [at, { outcome }] of outcomes.entries()) {
        const record = leases[at]?.record
        if (outcome === 'done' && record) history.done.add(`${record.partition}:${record.offset}`)
      }
    })
}

async function unlessFault(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
  }
}

/** All that the log holds, by place. Throws when offsets are left out. */
async function contentsOf(
  client: QueueClient,
  { topic, partitions }: Load,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let partition = 0; partition < partitions; partition++)
    for (let offset = 0; ; ) {
      const fetched = await client.fetch(topic, partition, { offset }, { messagesMax: 1e6 })
      for (const record of fetched.records)
        found.set(`${partition}:${record.offset}`, record.value.toString())
      if (fetched.records.length === 0) break
      if (fetched.records[0]?.offset !== offset) throw new Error(`a gap at ${partition}:${offset}`)
      offset = fetched.nextOffset
    }
  return found
}

/** Waits for something; fails after 60 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error(`${what} did not come in 60 s`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
