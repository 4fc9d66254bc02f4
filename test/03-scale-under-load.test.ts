import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyPort, readyReplicas, runDrover, startDrover } from './harness/drover.ts'
import { startLoad } from './harness/load.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

test('2 to 8 and back to 2 replicas under load loses no GET', async (context) => {
  const words = [
    'balance',
    ...anyPort,
    '-n',
    '2',
    '--health',
    '/heartbeat',
    '--',
    process.execPath,
    homeServer,
  ]
  const drover = await startDrover(context, words)
  const load = startLoad(`${await drover.url()}/home`, 8)
  const scaleTo = async (count: number) => {
    await drover.post('/v1/services/web/scale', { replicas: count })
    await until(`${count} are ready, and no more`, async () => {
      const { services } = await drover.status()
      const replicas = services[0]?.replicas ?? []
      return replicas.length === count && replicas.every(({ state }) => state === 'ready')
    })
    const answered = load.answered
    await until('requests flow on', () => load.answered > answered + 200)
  }

  await scaleTo(8)
  await scaleTo(2)
  const { total, failures, bodies } = await load.stop()

  assert.deepEqual(failures, {}, `of ${total}`)
  assert.equal(Object.keys(bodies).length, 8)
})

test('drover scale does it from the command line', async (context) => {
  const words = ['balance', ...anyPort, '-n', '1', '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)

  const { code, stdout } = await runDrover(['scale', 'web', '3'], { cwd: drover.folder })

  assert.equal(code, 0)
  assert.equal(stdout, 'web: 3 replicas from now on\n')
  await until('three are ready', async () => (await readyReplicas(drover)).length === 3)
})

test('a service with --min and --max grows with its load, and every decision gives its figures', async (context) => {
  const slow = `require('http').createServer((q, s) => setTimeout(() => s.end('ok'), q.url === '/slow' ? 300 : 0))
    .listen(process.env.PORT, process.env.HOST)`
  const sized = ['--min', '1', '--max', '3', '--target', '2']
  const words = ['balance', ...anyPort, '-n', '1', ...sized, '--', process.execPath, '-e', slow]
  const drover = await startDrover(context, words)

  const load = startLoad(`${await drover.url()}/slow`, 8)
  await until('three are ready', async () => (await readyReplicas(drover)).length === 3)
  const { failures } = await load.stop()

  assert.deepEqual(failures, {})
  await until('the console says why', () =>
    /web: 3 replicas from now on: .*\d/.test(drover.output()),
  )
})
