import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyPort, readyReplicas, startDrover } from './harness/drover.ts'
import { startLoad } from './harness/load.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

test('SIGKILL of one of four replicas under load fails no GET, and a new one takes its place', async (context) => {
  const words = [
    'balance',
    ...anyPort,
    '-n',
    '4',
    '--health',
    '/heartbeat',
    '--',
    process.execPath,
    homeServer,
  ]
  const drover = await startDrover(context, words)
  const load = startLoad(`${await drover.url()}/home`, 16)
  await until('requests flow', () => load.answered > 200)

  const victims = await readyReplicas(drover)
  const victim = victims[1]
  assert.ok(victim)
  process.kill(victim.pid, 'SIGKILL')
  const after = await until('four are ready again, one of them new', async () => {
    const ready = await readyReplicas(drover)
    const isNew = ready.some(({ id }) => !victims.some((old) => old.id === id))
    return ready.length === 4 && isNew && ready
  })
  const answered = load.answered
  await until('requests flow on', () => load.answered > answered + 200)
  const { total, failures, bodies } = await load.stop()

  assert.deepEqual(failures, {}, `of ${total}`)
  assert.ok(!after.some(({ id }) => id === victim.id))
  assert.equal(Object.keys(bodies).length, 5, 'the four, and the new one')
  await until('the console says so', () =>
    /Server 2 died: was killed by SIGKILL/.test(drover.output()),
  )
})

test('a replica that fails its heartbeat is replaced under a new name', async (context) => {
  const script = `
    let sick = false
    require('http').createServer((q, s) => {
      if (q.url === '/sicken') sick = true
      s.writeHead(sick && q.url === '/heartbeat' ? 500 : 200).end(process.env.DROVER_REPLICA)
    }).listen(process.env.PORT, process.env.HOST)`
  const health = ['--health', '/heartbeat', '--health-interval', '100ms', '--fall', '2']
  const words = ['balance', ...anyPort, '-n', '2', ...health, '--', process.execPath, '-e', script]
  const drover = await startDrover(context, words)
  const [sick] = await readyReplicas(drover)
  assert.ok(sick)

  await fetch(`http://${sick.address}/sicken`)

  const healthy = await until('two are ready, and the sick one is gone', async () => {
    const ready = await readyReplicas(drover)
    return ready.length === 2 && !ready.some(({ id }) => id === sick.id) && ready
  })
  assert.ok(healthy.every(({ name }) => name.startsWith('Server ') && name !== sick.name))
})
