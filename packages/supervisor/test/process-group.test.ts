import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { ProcessGroup } from '../src/process/group.ts'

test('how long it lived is measured at its death, and one that was signalled did not die by itself', async () => {
  for (const isSignalled of [false, true]) {
    const clock = createManualClock(0)
    const child = spawn('sh', ['-c', 'read line'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const group = new ProcessGroup(child, clock)
    assert.equal(group.diedWithin(10_000), false)

    await clock.advance(7_000)
    if (isSignalled) group.signal('SIGTERM')
    else child.stdin.end()
    await group.ended
    await clock.advance(60_000)

    assert.equal(group.diedWithin(10_000), !isSignalled)
    assert.equal(group.diedWithin(5_000), false)
  }
})
