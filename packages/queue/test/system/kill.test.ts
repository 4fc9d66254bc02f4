import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Fault, seededRandom } from '@drover/kernel'
import type { QueueClient } from '../../src/client/queue-client.ts'
import { connectQueue } from '../../src/start-queue.ts'
import { History } from '../simulation/history.ts'

const topic = 't'
const partitions = 4
const brokerKills = 30
const managerKills = 3
const program = fileURLToPath(new URL('./queue-process.js', import.meta.url))
const tick = () => new Promise((resolve) => setTimeout(resolve, 5))

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + 60_000
  while (!(await holds())) {
    assert.ok(Date.now() < endsAt, `${what} did not come in 60 s`)
    await tick()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

/** Produces numbered messages until told to stop; what was acknowledged is in the history. */
async function produce(client: QueueClient, history: History, name: string, going: () => boolean) {
  for (let count = 0; going(); ) {
    const partition = count % partitions
    const values = Array.from(
      { length: 10 },
      () => `${name}-${String(count++)}-${'x'.repeat(count % 200)}`,
    )
    const messages = values.map((value) => ({ value: Buffer.from(value), partition }))
    try {
      const receipts = await client.produce(topic, messages)
      for (const [at, receipt] of receipts.entries())
        history.acked.set(values[at] ?? '', `${partition}:${receipt.offset}`)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
  }
}

/** Reads everything as it comes: what is seen once must be there for ever. */
async function readAll(client: QueueClient, history: History, going: () => boolean) {
  const next = new Array<number>(partitions).fill(0)
  for (let turn = 0; going(); turn++) {
    const partition = turn % partitions
    const offset = next[partition] ?? 0
    try {
      const fetched = await client.fetch(topic, partition, { offset }, { waitMs: 20 })
      for (const record of fetched.records)
        history.read(partition, record.offset, record.value.toString())
      next[partition] = fetched.nextOffset
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
  }
}

/** Takes work and acknowledges it: nothing acknowledged may come again. */
async function work(client: QueueClient, history: History, going: () => boolean) {
  while (going()) {
    try {
      const leases = await client.lease(topic, { count: 50, leaseMs: 3_000, waitMs: 50 })
      for (const { record } of leases)
        history.lease(record.partition, record.offset, record.value.toString())
      const outcomes = await client.ack(leases.map(({ token }) => token))
      for (const [at, { outcome }] of outcomes.entries()) {
        const record = leases[at]?.record
        if (outcome === 'done' && record) history.done.add(`${record.partition}:${record.offset}`)
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
  }
}

/** All that the log holds, by place. */
async function contents(client: QueueClient): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let partition = 0; partition < partitions; partition++)
    for (let offset = 0; ; ) {
      const fetched = await client.fetch(topic, partition, { offset }, { messagesMax: 1e6 })
      for (const record of fetched.records)
        found.set(`${partition}:${record.offset}`, record.value.toString())
      if (fetched.records.length === 0) break
      assert.equal(fetched.records[0]?.offset, offset, 'offsets follow each other')
      offset = fetched.nextOffset
    }
  return found
}

describe('killed with SIGKILL under load', () => {
  const random = seededRandom(Number(process.env.SEED ?? Date.now()))
  let child: ChildProcess | undefined
  after(() => child?.kill('SIGKILL'))

  it(`keeps every acknowledged message over ${brokerKills + managerKills} kills`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'queue-kill-'))
    const listen = `127.0.0.1:${await freePort()}`
    const start = async () => {
      child = fork(program, [folder, listen], { execArgv: [] })
      await once(child, 'message')
    }
    await start()
    const client = await connectQueue(listen)
    await client.createTopic(topic, { partitions, attemptsMax: 1_000, retentionMs: 0 })
    const history = new History()
    let busy = true
    const going = () => busy
    const load = Promise.all([
      produce(client, history, 'a', going),
      produce(await connectQueue(listen), history, 'b', going),
      readAll(await connectQueue(listen), history, going),
      work(await connectQueue(listen), history, going),
    ])
    load.catch(() => {})

    let acked = 0
    const underLoad = () =>
      until('more load', () => {
        const enough = history.acked.size > acked + 100
        if (enough) acked = history.acked.size
        return enough
      })
    for (let kill = 0; kill < brokerKills; kill++) {
      await underLoad()
      let victim: number | undefined
      await until('a broker to kill', async () => {
        const up = (await client.brokers()).filter(({ state }) => state === 'up')
        victim = random.pick(up)?.pid
        return victim !== undefined
      })
      process.kill(victim ?? 0, 'SIGKILL')
    }
    for (let kill = 0; kill < managerKills; kill++) {
      await underLoad()
      const gone = once(child as ChildProcess, 'exit')
      child?.kill('SIGKILL')
      await gone
      await start()
    }
    await underLoad()
    busy = false
    await load

    history.check(await contents(client))
    assert.ok(history.acked.size > 3_000, `${history.acked.size} messages were acknowledged`)
    const gone = once(child as ChildProcess, 'exit')
    child?.kill('SIGKILL')
    await gone
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  })
})
