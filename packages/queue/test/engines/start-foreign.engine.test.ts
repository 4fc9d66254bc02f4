import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLog } from '@drover/kernel'
import { startForeignQueue } from '../../src/start-foreign.ts'
import { createNatsCluster } from './nats-server.ts'
import { createRabbitServer } from './rabbit-server.ts'
import { eventually } from './server-process.ts'

const within = { timeout: 120_000 }

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-foreign-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A message through the HTTP API: in, out, done. */
async function passThrough(url: string): Promise<void> {
  const send = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' }
    const how = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetch(`${url}${path}`, how)
    assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`)
    return response
  }
  await send('/v1/topics', { name: 'jobs', options: { partitions: 1 } })
  await send('/v1/topics/jobs/messages', { messages: [{ value: 'work' }] })
  const answer = await send('/v1/topics/jobs/leases', { waitMs: 5_000 })
  const { leases } = (await answer.json()) as { leases: { token: string; value: string }[] }
  assert.equal(leases.length, 1)
  await send('/v1/leases/ack', { tokens: leases.map(({ token }) => token) })
}

test('the same HTTP API and the course over NATS', within, async (context) => {
  const cluster = await createNatsCluster(1, 'authorization { user: ann, password: "p@ss" }')
  context.after(() => cluster.close())
  cluster.start(0)
  const dataFolder = await temporaryFolder(context)

  const queue = await eventually(() =>
    startForeignQueue({
      engine: 'nats',
      servers: cluster.servers.map((server) => `nats://ann:p%40ss@${server}`),
      listen: '127.0.0.1:0',
      courseApi: '127.0.0.1:0',
      dataFolder,
      logger: silentLog,
    }),
  )
  try {
    await passThrough(queue.url ?? '')
    const brokers = await fetch(`http://${queue.course?.readOnly}/brokers`)
    assert.equal(await brokers.text(), '{"message":["broker0"],"status":"success"}')
    assert.equal(queue.engine.name, 'nats')
    const stranger = { engine: 'nats' as const, servers: cluster.servers, logger: silentLog }
    await assert.rejects(startForeignQueue(stranger), { code: 'ENGINE_FAILED' })
  } finally {
    await queue.stop()
  }
})

test(
  'the same HTTP API over RabbitMQ; the course is refused and nothing stays up',
  within,
  async (context) => {
    const server = await createRabbitServer()
    context.after(() => server.close())
    server.start()
    const settings = {
      engine: 'rabbitmq' as const,
      servers: [`amqp://guest:guest@127.0.0.1:${server.port}`],
      listen: '127.0.0.1:0',
      dataFolder: await temporaryFolder(context),
      logger: silentLog,
    }

    const queue = await eventually(() => startForeignQueue(settings))
    await passThrough(queue.url ?? '').finally(() => queue.stop())

    await assert.rejects(startForeignQueue({ ...settings, courseApi: '127.0.0.1:0' }), {
      code: 'FEATURE_MISSING',
    })
    await assert.rejects(startForeignQueue({ ...settings, servers: [] }), {
      code: 'OPTION_INVALID',
    })
  },
)
