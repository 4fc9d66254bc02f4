import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from './harness/drover.ts'
import { processesWith } from './harness/environment.ts'
import { bin } from './harness/project.ts'
import { until } from './harness/until.ts'

/** Once everything is up, nothing new happens any more. */
const startMs = 2_500
const any = ['--listen', '127.0.0.1:0']
/** Nobody listens there, so whoever waits for a queue goes on waiting. */
const noQueue = ['--queue', '127.0.0.1:1']

for (const words of [
  ['jobs', 'serve', ...any],
  ['jobs', 'serve', '--parts', 'api', ...any, ...noQueue],
  ['jobs', 'serve', '--parts', 'worker', ...any, ...noQueue],
  ['queue', 'serve', ...any, '--tcp', '127.0.0.1:0'],
  ['queue', 'broker', 'one', ...any],
  ['chunks', 'serve', ...any],
  ['chunks', 'serve', '--backends-url', 'http://127.0.0.1:1', ...any, ...noQueue],
  ['chunks', 'backend', ...any],
  ['herd', 'serve', 'Zoe', ...any],
])
  test(`ends when the process that started it is gone, whenever that is: ${words.join(' ')}`, async (context) => {
    const ends = [0, 100, startMs].map((mostMs) => endsAlone(words, Math.random() * mostMs))

    const left = (await Promise.all(ends)).flat()

    context.diagnostic(left.join('\n'))
    assert.deepEqual(left, [])
  })

for (let round = 1; round <= 3; round++)
  test(`SIGKILL of a tour that starts leaves nothing, round ${round}`, async (context) => {
    const folder = await temporaryFolder()
    const shift = 12_000 + Math.floor(Math.random() * 800)
    const afterMs = Math.random() * startMs
    const mark = { DROVER_TEST_FOLDER: folder }
    const drover = spawn(process.execPath, [bin, 'up', '--shift', String(shift)], {
      ...{ cwd: folder, stdio: 'ignore' as const },
      env: { ...process.env, ...mark },
    })

    await sleep(afterMs)
    const before = (await processesWith(`DROVER_TEST_FOLDER=${folder}`)).length
    drover.kill('SIGKILL')

    context.diagnostic(`killed after ${afterMs.toFixed(0)} ms, when ${before} processes ran`)
    await until('none is left', async () => {
      return (await processesWith(`DROVER_TEST_FOLDER=${folder}`)).length === 0
    })
  })

/** Starts a command over a channel, hangs up after a while, and says so if it does not end then. */
async function endsAlone(words: readonly string[], afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [bin, ...words], {
    cwd: await temporaryFolder(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
  child.stderr?.resume()
  const ended = once(child, 'exit')
  await sleep(afterMs)
  if (child.connected) child.disconnect()
  await ended
  // What is still loading kills itself; only the deadline kills by this object.
  return !child.killed ? [] : [`left alone after ${afterMs.toFixed(0)} ms it goes on`]
}
