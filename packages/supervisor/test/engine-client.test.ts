import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createManualClock, seededRandom, silentLog, systemClock } from '@drover/kernel'
import { describeExitCode } from '../src/docker/container.ts'
import { createDeaths, parseDeath } from '../src/docker/deaths.ts'
import { createEngineClient } from '../src/docker/engine-client.ts'
import { startFakeEngine } from './fixtures/fake-engine.ts'
import { until } from './fixtures/until.ts'

type FakeEngine = Awaited<ReturnType<typeof startFakeEngine>>

const fakes: FakeEngine[] = []
after(async () => {
  for (const fake of fakes) await fake.stop()
})

async function fakeEngine(apiVersion?: string): Promise<FakeEngine> {
  const fake = await startFakeEngine(apiVersion)
  fakes.push(fake)
  return fake
}

test('an engine that is older than the client is spoken to in its own version', async () => {
  const old = await fakeEngine('1.41')
  const young = await fakeEngine('1.55')

  await createEngineClient(old.socket, systemClock).inspect('x')
  await createEngineClient(young.socket, systemClock).inspect('x')

  assert.deepEqual(old.asked, ['GET /_ping', 'GET /v1.41/containers/x/json'])
  assert.deepEqual(young.asked, ['GET /_ping', 'GET /v1.44/containers/x/json'])
})

test('a refusal is an answer with its status and words', async () => {
  const fake = await fakeEngine()

  const answer = await createEngineClient(fake.socket, systemClock).start('x')

  assert.deepEqual(answer, { status: 404, body: { message: 'No such container: x' } })
})

test('a name in a path cannot lead anywhere else', async () => {
  const fake = await fakeEngine()

  await createEngineClient(fake.socket, systemClock).inspect('../images/x?y')

  assert.equal(fake.asked[1], 'GET /v1.41/containers/..%2Fimages%2Fx%3Fy/json')
})

test('an engine that is not there is a fault that names the socket', async () => {
  const client = createEngineClient('/drover/none.sock', systemClock)

  await assert.rejects(client.inspect('x'), {
    code: 'ENGINE_FAILED',
    message: '/drover/none.sock: no container engine answers there',
  })
})

test('an engine that does not answer is a fault after the deadline', async () => {
  const fake = await fakeEngine()
  fake.silent = true
  const clock = createManualClock()
  const client = createEngineClient(fake.socket, clock)

  const calls = [client.inspect('x'), client.logs('x')]
  await until('it was asked', () => fake.asked.length >= 3)
  const failed = calls.map((call) =>
    assert.rejects(call, { code: 'ENGINE_FAILED', message: /no answer after 15000 ms$/ }),
  )
  await clock.advance(15_000)

  await Promise.all(failed)
})

test('the end of a container is heard once, with its exit code', async () => {
  const fake = await fakeEngine()
  const heard: unknown[] = []
  const deaths = createDeaths(
    createEngineClient(fake.socket, systemClock),
    {
      label: 'a=b',
      watched: () => ['c1'],
      onDeath: (container, exitCode) => heard.push([container, exitCode]),
    },
    { clock: systemClock, random: seededRandom(1), log: silentLog },
  )
  await Promise.all([deaths.start(), deaths.start()])
  assert.equal(fake.listeners(), 1)

  fake.tell({ Action: 'start', Actor: { ID: 'c1' } })
  fake.tell({ Action: 'die', Actor: { ID: 'c1', Attributes: { exitCode: '137' } } })

  await until('it was heard', () => heard.length > 0)
  assert.deepEqual(heard, [['c1', 137]])
  deaths.stop()
})

test('after a break it listens again, and finds out who ended meanwhile', async () => {
  const fake = await fakeEngine()
  const heard: unknown[] = []
  const deaths = createDeaths(
    createEngineClient(fake.socket, systemClock),
    {
      label: 'a=b',
      watched: () => ['runs', 'ended', 'removed', 'made'],
      onDeath: (container, exitCode) => heard.push([container, exitCode]),
    },
    { clock: systemClock, random: seededRandom(1), log: silentLog },
  )
  await deaths.start()
  fake.containers = [
    { Id: 'runs', State: 'running' },
    { Id: 'ended', State: 'exited' },
    { Id: 'made', State: 'created' },
  ]

  fake.cut()

  await until('both were found out', () => heard.length === 2)
  assert.deepEqual(heard, [
    ['ended', undefined],
    ['removed', undefined],
  ])
  await until('it listens again', () => fake.listeners() === 1)
  deaths.stop()
  await until('it stopped', () => fake.listeners() === 0)
})

test('what is no end of a container is passed over', () => {
  for (const line of [
    '',
    'null',
    '{"Action":"die"',
    '{"Action":"die"}',
    '{"Action":"kill","Actor":{"ID":"x"}}',
  ])
    assert.equal(parseDeath(line), undefined, line)
  assert.deepEqual(parseDeath('{"Action":"die","Actor":{"ID":"x"}}'), {
    container: 'x',
    exitCode: undefined,
  })
})

test('exit codes over 128 are read as the signals that they stand for', () => {
  assert.equal(describeExitCode(0), 'exited with code 0')
  assert.equal(describeExitCode(137), 'was killed by SIGKILL')
  assert.equal(describeExitCode(143), 'was killed by SIGTERM')
  assert.equal(describeExitCode(255), 'exited with code 255')
})
