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
import { History } from '../simulation/history.ts'
import { contentsOf, type Load, produceLoad, readLoad, until, workLoad } from './load.ts'

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
    const load: Load = { topic, partitions, history, going: () => busy }
    const actors = Promise.all([
      produceLoad(client, load, 'a'),
      produceLoad(await connectQueue(listen), load, 'b'),
      readLoad(await connectQueue(listen), load),
      workLoad(await connectQueue(listen), load),
    ])
    actors.catch(() => {})

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
    await actors

    history.check(await contentsOf(client, load))
    assert.ok(history.acked.size > 3_000, `${history.acked.size} messages were acknowledged`)
    const gone = once(child as ChildProcess, 'exit')
    child?.kill('SIGKILL')
    await gone
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  })
})
