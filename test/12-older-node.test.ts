import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { lives, readyReplicas, startDrover, temporaryFolder } from './harness/drover.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

/** Makes node say that it is an older one to the program that it starts, not to that one's children. */
async function olderNode(): Promise<string[]> {
  const folder = await temporaryFolder()
  const file = join(folder, 'older.mjs')
  await writeFile(
    file,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.0' } })`,
  )
  return ['--import', file]
}

const words = ['balance', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '-n', '2']
const command = [...words, '--', process.execPath, homeServer]

test('on an older node the command runs on the project’s own, and ctrl-c reaches it', async (context) => {
  const drover = await startDrover(context, command, { nodeFlags: await olderNode() })
  const pids = (await readyReplicas(drover)).map(({ pid }) => pid)

  drover.child.kill('SIGINT')
  const code = await drover.ended

  assert.equal(pids.length, 2)
  assert.equal(code, 0, drover.output())
  for (const pid of pids) assert.equal(await lives(pid), false)
})

test('SIGKILL of the one that was started leaves neither the other nor a replica', async (context) => {
  const drover = await startDrover(context, command, { nodeFlags: await olderNode() })
  const pids = (await readyReplicas(drover)).map(({ pid }) => pid)
  const status = (await (await fetch(`${drover.admin}/v1/status`)).json()) as { pid: number }

  drover.child.kill('SIGKILL')
  await drover.ended

  assert.notEqual(status.pid, drover.child.pid)
  for (const pid of [status.pid, ...pids])
    await until(`process ${pid} has ended`, async () => !(await lives(pid)))
})
