import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '@drover/kernel'
import { connectQueue } from '../../src/start-queue.ts'
import { startLoad, until } from './load.ts'

const topic = 't'
const partitions = 4
/** `npm run simulate` sets SEEDS and takes the time. */
const [brokerKills, managerKills] = process.env.SEEDS ? [200, 20] : [30, 3]
const program = fileURLToPath(new URL('./queue-process.js', import.meta.url))
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

describe('killed with SIGKILL under load', () => {
  const seed = Number(process.env.SEED ?? Date.now())
  const random = seededRandom(seed)
  let child: ChildProcess | undefined
  after(() => child?.kill('SIGKILL'))

  it(`keeps every acknowledged message over ${brokerKills + managerKills} kills`, async (t) => {
    t.diagnostic(`SEED=${seed}`)
    const folder = await mkdtemp(join(tmpdir(), 'queue-kill-'))
    const listen = `127.0.0.1:${await freePort()}`
    const start = async () => {
      child = fork(program, [folder, listen], { execArgv: [] })
      await once(child, 'message')
    }
    await start()
    const client = await connectQueue(listen)
    await client.createTopic(topic, { partitions, attemptsMax: 1_000, retentionMs: 0 })
    const load = await startLoad(() => connectQueue(listen), topic, partitions)
    for (let kill = 0; kill < brokerKills; kill++) {
      await load.more(100)
      let victim: number | undefined
      await until('a broker to kill', async () => {
        const up = (await client.brokers()).filter(({ state }) => state === 'up')
        victim = random.pick(up)?.pid
        return victim !== undefined
      })
      process.kill(victim ?? 0, 'SIGKILL')
    }
    for (let kill = 0; kill < managerKills; kill++) {
      await load.more(100)
      const gone = once(child as ChildProcess, 'exit')
      child?.kill('SIGKILL')
      await gone
      await start()
    }
    await load.more(100)
    await load.end()

    assert.ok(load.acked > 3_000, `${load.acked} messages were acknowledged`)
    const gone = once(child as ChildProcess, 'exit')
    child?.kill('SIGKILL')
    await gone
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  })
})
