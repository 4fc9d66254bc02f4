import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { anyPort, lives, readyReplicas, runDrover, startDrover } from './harness/drover.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

const stubborn = `process.on('SIGTERM', () => {})
  require('http').createServer((q, s) => s.end('ok')).listen(process.env.PORT, process.env.HOST)`

async function noneLives(pids: readonly number[]): Promise<boolean> {
  const living = await Promise.all(pids.map(lives))
  return living.every((one) => !one)
}

for (const [name, words] of [
  ['replicas', [homeServer]],
  ['replicas that ignore SIGTERM', ['-e', stubborn]],
] as const)
  test(`SIGKILL of drover leaves no ${name} behind`, async (context) => {
    const drover = await startDrover(context, [
      'balance',
      ...anyPort,
      '--',
      process.execPath,
      ...words,
    ])
    const pids = (await readyReplicas(drover)).map(({ pid }) => pid)

    drover.child.kill('SIGKILL')
    await drover.ended

    assert.equal(pids.length, 3)
    await until('none lives', () => noneLives(pids))
  })

test('a data folder that somebody removes ends nothing, and nothing is left after SIGKILL', async (context) => {
  const words = ['balance', ...anyPort, '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)
  const before = await readyReplicas(drover)
  await rm(join(drover.folder, '.drover'), { recursive: true })

  process.kill(before[0]?.pid ?? 0, 'SIGKILL')
  const after = await until('another is in its place', async () => {
    const replicas = await readyReplicas(drover)
    return replicas.length === 3 && replicas[0]?.pid !== before[0]?.pid && replicas
  })
  await rm(join(drover.folder, '.drover'), { recursive: true })
  drover.child.kill('SIGKILL')
  await drover.ended

  await until('none lives', () => noneLives(after.map(({ pid }) => pid)))
})

test('a second ctrl-c stops at once, and leaves nothing behind either', async (context) => {
  const words = [
    'balance',
    ...anyPort,
    '--stop-timeout',
    '1h',
    '--',
    process.execPath,
    '-e',
    stubborn,
  ]
  const drover = await startDrover(context, words)
  const pids = (await readyReplicas(drover)).map(({ pid }) => pid)

  drover.child.kill('SIGINT')
  await until('it says that it stops', () => drover.output().includes('once more stops at once'))
  // Again and again, as somebody impatient does: the first ones count as the same.
  const again = setInterval(() => drover.child.kill('SIGINT'), 100)
  const code = await drover.ended
  clearInterval(again)

  assert.equal(code, 1)
  await until('none lives', () => noneLives(pids))
})

test('after SIGKILL the same data folder can be used again', async (context) => {
  const words = ['balance', ...anyPort, '-n', '1', '--', process.execPath, homeServer]
  const first = await startDrover(context, words)
  first.child.kill('SIGKILL')
  await first.ended

  const second = await startDrover(context, words, { folder: first.folder })

  assert.equal((await readyReplicas(second)).length, 1)
})

test('two instances on one data folder: the second is refused, the first goes on', async (context) => {
  const words = ['balance', ...anyPort, '-n', '1', '--', process.execPath, homeServer]
  const first = await startDrover(context, words)

  const { code, stderr } = await runDrover(words, { cwd: first.folder })

  assert.equal(code, 1)
  assert.ok(stderr.includes(`is in use by process ${first.child.pid} (${first.admin})`), stderr)
  assert.match(stderr, /name another folder with --data$/m)
  assert.equal((await readyReplicas(first)).length, 1)
})
