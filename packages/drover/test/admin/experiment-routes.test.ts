import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createHttpServer, silentLog, systemClock } from '@drover/kernel'
import { createExperimentDesk } from '../../src/admin/experiment-desk.ts'
import { mountExperimentRoutes } from '../../src/admin/experiment-routes.ts'
import type { ExperimentView } from '../../src/admin/schemas.ts'
import { createEventLog } from '../../src/event-log.ts'

const waitMsMax = 20_000

/** What stands for `drover experiment`: the words are `--out FOLDER [--quick] NAME`. */
const plays = {
  succeeds: `process.send({ step: 1, steps: 2, says: 'half of it' })
    require('node:fs').mkdirSync(process.argv[2], { recursive: true })
    require('node:fs').writeFileSync(process.argv[2] + '/' + process.argv.at(-1) + '.html', '<p>' + process.argv.slice(3).join(' '))`,
  fails: `process.stderr.write('1/2 begun\\ndrover: port 80 is taken\\n'); process.exitCode = 1`,
  hangs: `process.send({ step: 1, steps: 2, says: 'waiting' }); setInterval(() => {}, 1000)`,
  stubborn: `process.on('SIGTERM', () => {}); process.send({ step: 1, steps: 2, says: 'waiting' }); setInterval(() => {}, 1000)`,
}

async function serve(context: TestContext, play: keyof typeof plays | 'missing') {
  const folder = join(await mkdtemp(join(tmpdir(), 'drover-desk-')), 'reports')
  const events = createEventLog(systemClock.now)
  const command =
    play === 'missing' ? ['/nowhere/node'] : [process.execPath, '-e', plays[play], '--']
  const desk = createExperimentDesk({ folder, events, clock: systemClock, command })
  const server = await createHttpServer({ title: 't', description: 'd', log: silentLog })
  mountExperimentRoutes(server, { system: { events }, experiments: desk })
  context.after(async () => {
    await desk.stop()
    await server.close()
    await rm(join(folder, '..'), { recursive: true, force: true })
  })
  const call = (method: 'GET' | 'POST' | 'DELETE', path = '', payload?: object) =>
    server.inject({
      method,
      url: `/v1/experiments${path}`,
      ...(payload && { payload }),
    })
  const view = async (name: string) => {
    const list = (await call('GET')).json() as ExperimentView[]
    const found = list.find((one) => one.name === name)
    assert.ok(found)
    return found
  }
  const until = async (name: string, holds: (view: ExperimentView) => boolean) => {
    const endsAtMs = systemClock.monotonic() + waitMsMax
    for (;;) {
      const seen = await view(name)
      if (holds(seen)) return seen
      assert.ok(systemClock.monotonic() < endsAtMs, `still ${JSON.stringify(seen)}`)
      await systemClock.sleep(10)
    }
  }
  const kinds = () => events.since(0).map(({ kind }) => kind.replace('drover.experiment.', ''))
  return { call, view, until, kinds, events, desk, folder }
}

test('an experiment is started, tells how far it is, and leaves a report that may do nothing', async (context) => {
  const { call, until, kinds } = await serve(context, 'succeeds')

  const started = await call('POST', '/a1', { quick: true })
  const seen = await until('a1', ({ state }) => state === 'done')
  const report = await call('GET', '/a1/report')

  assert.equal(started.statusCode, 202)
  assert.deepEqual(started.json(), { since: 0 })
  assert.equal(seen.step, 1)
  assert.equal(seen.steps, 2)
  assert.ok(seen.report && seen.endedAtMs && seen.startedAtMs)
  assert.deepEqual(kinds(), ['started', 'progressed', 'done'])
  assert.equal(report.statusCode, 200)
  assert.equal(report.body, '<p>--quick a1')
  assert.match(`${report.headers['content-type']}`, /^text\/html/)
  const policy = `${report.headers['content-security-policy']}`
  assert.match(policy, /default-src 'none'.*sandbox$/)
  assert.doesNotMatch(policy, /script/)
  assert.equal(report.headers['x-content-type-options'], 'nosniff')
})

test('one runs at a time; when it is cancelled the next may', async (context) => {
  const { call, view, until, kinds } = await serve(context, 'hangs')

  await call('POST', '/a1')
  await until('a1', ({ step }) => step === 1)
  const second = await call('POST', '/a2')
  const other = await call('DELETE', '/a2')
  const cancelled = await call('DELETE', '/a1')
  await until('a1', ({ state }) => state === 'cancelled')
  const again = await call('DELETE', '/a1')
  const third = await call('POST', '/a2')

  assert.equal(second.statusCode, 409)
  assert.equal(second.json().code, 'EXPERIMENT_RUNNING')
  assert.equal(other.json().code, 'EXPERIMENT_IDLE')
  assert.equal(cancelled.statusCode, 202)
  assert.equal(again.statusCode, 409)
  assert.equal(third.statusCode, 202)
  assert.equal((await view('a2')).state, 'running')
  assert.deepEqual(kinds().slice(0, 3), ['started', 'progressed', 'cancelled'])
})

test('one that fails says why, and so does one that cannot be started', async (context) => {
  const failing = await serve(context, 'fails')
  const missing = await serve(context, 'missing')

  await failing.call('POST', '/a1')
  await missing.call('POST', '/a1')
  const failed = await failing.until('a1', ({ state }) => state === 'failed')
  const absent = await missing.until('a1', ({ state }) => state === 'failed')

  assert.equal(failed.message, 'port 80 is taken')
  assert.equal(failed.report, null)
  assert.match(absent.message, /cannot be started: .*ENOENT/)
  assert.equal(failing.events.since(0).at(-1)?.level, 'warning')
  assert.deepEqual(missing.kinds(), ['started', 'failed'])
})

test('the instance does not end before the experiment has, not even one that will not', async (context) => {
  const { call, until, view, desk, kinds } = await serve(context, 'stubborn')
  await call('POST', '/a1')
  await until('a1', ({ step }) => step === 1)

  await desk.stop()

  const seen = await view('a1')
  assert.equal(seen.state, 'cancelled')
  assert.equal(seen.message, 'the instance stops')
  assert.equal(kinds().at(-1), 'cancelled')
})

test('what is not there is refused, and a body that is wrong', async (context) => {
  const { call } = await serve(context, 'hangs')

  const refused = [
    [await call('POST', '/a11'), 404, 'EXPERIMENT_UNKNOWN'],
    [await call('DELETE', '/constructor'), 404, 'EXPERIMENT_UNKNOWN'],
    [await call('GET', '/%2e%2e%2frun/report'), 404, 'EXPERIMENT_UNKNOWN'],
    [await call('GET', '/a1/report'), 404, 'REPORT_MISSING'],
    [await call('POST', '/a1', { quick: 'perhaps' }), 400, 'REQUEST_INVALID'],
    [await call('POST', '/a1', { out: '/etc' }), 400, 'REQUEST_INVALID'],
  ] as const

  for (const [response, status, code] of refused) {
    assert.equal(response.statusCode, status, code)
    assert.equal(response.json().code, code)
  }
})

test('the list names every experiment, and what it says of them is complete', async (context) => {
  const { call } = await serve(context, 'hangs')

  const list = (await call('GET')).json() as ExperimentView[]

  assert.ok(list.length >= 6)
  for (const { title, says, minutes, steps, state, report } of list) {
    assert.ok(title.length > 3 && says.length > 10 && minutes > 0 && steps > 0)
    assert.equal(state, 'idle')
    assert.equal(report, null)
  }
})
