import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Counters } from '../../src/engines/counters.ts'
import { CountLog } from '../../src/engines/nginx/count-log.ts'
import type { EngineEvent, ReplicaPlan } from '../../src/plan.ts'
import { planOf } from './plans.ts'

const replica = (name: string, port: number): ReplicaPlan => ({
  id: `web/${name}`,
  name,
  host: '127.0.0.1',
  port,
  weight: 1,
  draining: false,
})
const plan = planOf([replica('a', 1), replica('b', 2)])

async function openLog(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'drover-test-'))
  const file = join(folder, 'count.log')
  const counters = new Counters()
  counters.follow(plan)
  const events: EngineEvent[] = []
  const log = await CountLog.open(file, counters, (event) => events.push(event))
  t.after(async () => {
    await log.close()
    await rm(folder, { recursive: true })
  })
  const write = async (...lines: string[][]) => {
    await appendFile(file, lines.map((fields) => `${fields.join('\t')}\n`).join(''))
    await log.read(10_000)
  }
  const stats = () => counters.stats(plan, []).services[0]
  return { file, log, write, stats, events }
}

const line = (addresses: string, heads: string, connects: string, status: string) => [
  'h',
  'web',
  addresses,
  heads,
  connects,
  status,
  '0.020',
  '100',
  '300',
  '-',
]

test('an answered request is counted for its replica', async (t) => {
  const { write, stats, events } = await openLog(t)

  await write(line('127.0.0.1:1', '0.010', '0.000', '404'))

  const [a, b] = stats()?.replicas ?? []
  assert.equal(a?.requestsTotal, 1)
  assert.deepEqual(a?.statusTotal, [0, 0, 0, 0, 1, 0])
  assert.equal(a?.bytesInTotal, 100)
  assert.equal(a?.bytesOutTotal, 300)
  assert.equal(a?.latencyCounts[5], 1)
  assert.equal(b?.requestsTotal, 0)
  assert.deepEqual(events, [{ kind: 'answered', replica: 'web/a' }])
})

test('a repeated request counts at both replicas, and as a retry', async (t) => {
  const { write, stats, events } = await openLog(t)

  await write(line('127.0.0.1:2, 127.0.0.1:1', '-, 0.010', '0.001, 0.001', '200'))

  const [a, b] = stats()?.replicas ?? []
  assert.equal(stats()?.retriesTotal, 1)
  assert.equal(b?.failuresTotal, 1)
  assert.deepEqual(b?.statusTotal, [1, 0, 0, 0, 0, 0])
  assert.deepEqual(a?.statusTotal, [0, 0, 1, 0, 0, 0])
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['failed', 'answered'],
  )
})

test("a refused connection is counted, but told by nginx's own complaint only", async (t) => {
  const { write, stats, events } = await openLog(t)

  await write(line('127.0.0.1:2', '-', '-', '502'))

  assert.equal(stats()?.replicas[1]?.failuresTotal, 1)
  assert.deepEqual(events, [])
})

test('a client that goes away is not held against the replica', async (t) => {
  const { write, stats, events } = await openLog(t)

  await write(line('127.0.0.1:2', '-', '0.001', '499'))

  assert.equal(stats()?.replicas[1]?.failuresTotal, 0)
  assert.deepEqual(events, [])
})

test('limited requests are counted, and reach nobody', async (t) => {
  const { write, stats } = await openLog(t)

  await write(['h', 'web', '-', '-', '-', '429', '0', '100', '300', 'REJECTED'])

  assert.equal(stats()?.rateLimitedTotal, 1)
  assert.deepEqual(
    stats()?.replicas.map(({ requestsTotal }) => requestsTotal),
    [0, 0],
  )
})

test('a line that is written in two parts is one line, and nonsense is none', async (t) => {
  const { file, log, write, stats } = await openLog(t)
  const whole = `${line('127.0.0.1:1', '0.010', '0.000', '200').join('\t')}\n`

  await appendFile(file, `nonsense\nh\tother\t-\n\n${whole.slice(0, 20)}`)
  await log.read(10_000)
  assert.equal(stats()?.replicas[0]?.requestsTotal, 0)
  await appendFile(file, whole.slice(20))
  await write()

  assert.equal(stats()?.replicas[0]?.requestsTotal, 1)
})

test('places of replicas that have gone are forgotten when there are too many, others never', () => {
  const counters = new Counters()
  const here = replica('here', 1)

  for (let port = 2; port < 12_000; port++)
    counters.follow(planOf([here, replica(`gone ${port}`, port)]))

  assert.equal(counters.idAt('web', '127.0.0.1:1'), 'web/here')
  assert.equal(counters.idAt('web', '127.0.0.1:11999'), 'web/gone 11999')
  assert.equal(counters.idAt('web', '127.0.0.1:2'), undefined)
})
