import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyPort, readyReplicas, runDrover, startDrover } from './harness/drover.ts'
import { startLoad } from './harness/load.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

test('a rolling restart under load makes every replica new and loses no GET', async (context) => {
  const words = [
    'balance',
    ...anyPort,
    '-n',
    '3',
    '--health',
    '/heartbeat',
    '--',
    process.execPath,
    homeServer,
  ]
  const drover = await startDrover(context, words)
  const before = (await readyReplicas(drover)).map(({ pid }) => pid)
  const load = startLoad(`${await drover.url()}/home`, 8)
  await until('requests flow', () => load.answered > 100)

  const { code, stdout, stderr } = await runDrover(['restart', 'web'], { cwd: drover.folder })
  const answered = load.answered
  await until('requests flow on', () => load.answered > answered + 100)
  const { total, failures } = await load.stop()

  assert.equal(code, 0, stderr)
  assert.match(stdout, /web: every replica is new\n$/)
  assert.deepEqual(failures, {}, `of ${total}`)
  const after = (await readyReplicas(drover)).map(({ pid }) => pid)
  assert.equal(after.length, 3)
  assert.ok(!after.some((pid) => before.includes(pid)), `${before} became ${after}`)
})
