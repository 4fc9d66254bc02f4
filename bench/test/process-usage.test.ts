import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import {
  cpuTimeBetween,
  cpuTimeOf,
  mappedBytesOf,
  openFilesMost,
  residentBytesOf,
} from '../lab/process-usage.ts'

/** A process whose child has worked for 200 ms of CPU time, or has taken 50 MB. */
async function parentOf(context: TestContext, work: string): Promise<number> {
  const child = `${work}; process.stdout.write("done"); setInterval(() => {}, 1000)`
  const parent = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "inherit" }); process.on("SIGTERM", () => process.exit())`
  const started = spawn(process.execPath, ['-e', parent], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const pid = started.pid ?? 0
  context.after(async () => {
    process.kill(-pid, 'SIGKILL')
    await once(started, 'close')
  })
  await once(started.stdout, 'data')
  return pid
}

test('the CPU time of a process includes that of its children', async (context) => {
  const pid = await parentOf(context, 'while (process.cpuUsage().user < 300_000);')

  const { user, system } = cpuTimeOf(pid)

  assert.ok(user + system >= 0.25, `${user} + ${system} s`)
})

test('children that ended and were waited for still count', () => {
  const before = cpuTimeOf(process.pid)
  spawnSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 300_000);'])

  const { user, system } = cpuTimeBetween(before, cpuTimeOf(process.pid))

  assert.ok(user + system >= 0.25, `${user} + ${system} s`)
})

test('the memory of a process includes that of its children', async (context) => {
  const pid = await parentOf(context, 'globalThis.kept = Buffer.alloc(50_000_000, 1)')

  for (const bytes of [residentBytesOf(pid), mappedBytesOf(pid)])
    assert.ok(bytes > 50_000_000 && bytes < 1e9, `${bytes} bytes`)
})

test('a process that is gone is an error, not a zero', () => {
  assert.throws(() => cpuTimeOf(2 ** 30))
})

test('the limit on open files is a number', () => {
  assert.ok(openFilesMost() >= 64)
})
