import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { HostGate } from '../../src/fetching/host-gate.ts'

const never = new AbortController().signal

/** Enters and notes it. */
function enterAll(gate: HostGate, hosts: readonly string[], delayMs: number) {
  const entered: string[] = []
  const leave: (() => void)[] = []
  for (const host of hosts)
    void gate.enter(host, delayMs, never).then((exit) => {
      entered.push(host)
      leave.push(exit)
    })
  return { entered, leave }
}

test('a host is asked no sooner than its delay after the last time', async () => {
  const clock = createManualClock()
  const gate = new HostGate({ hostConcurrency: 5, concurrency: 9, hostWaitingMax: 9 }, clock)

  const { entered } = enterAll(gate, ['a', 'a', 'a', 'b'], 100)
  await clock.advance(99)
  const before = [...entered]
  await clock.advance(1)

  assert.deepEqual(before.toSorted(), ['a', 'b'])
  assert.equal(entered.filter((host) => host === 'a').length, 2)
})

test('no more run at one host, and in all, than may', async () => {
  const clock = createManualClock()
  const gate = new HostGate({ hostConcurrency: 2, concurrency: 3, hostWaitingMax: 9 }, clock)

  const { entered, leave } = enterAll(gate, ['a', 'a', 'a', 'b', 'b'], 0)
  await clock.advance(0)
  const first = [...entered]
  leave[0]?.()
  await clock.advance(0)

  assert.deepEqual(first, ['a', 'a', 'b'])
  assert.equal(entered.length, 4)
})

test('who gives up makes room, and hosts at rest are forgotten', async () => {
  const clock = createManualClock()
  const gate = new HostGate({ hostConcurrency: 1, concurrency: 1, hostWaitingMax: 1 }, clock)
  const exit = await gate.enter('a', 50, never)
  const control = new AbortController()
  const waiting = gate.enter('a', 50, control.signal)

  await assert.rejects(gate.enter('a', 50, never), { code: 'HOST_BUSY' })
  control.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  exit()
  await clock.advance(50)

  assert.equal(gate.hosts, 0)
})

test('a host with many fetches takes no place for ever that another waits for', async () => {
  const clock = createManualClock()
  const gate = new HostGate({ hostConcurrency: 1, concurrency: 1, hostWaitingMax: 9 }, clock)

  const { entered, leave } = enterAll(gate, ['a', 'a', 'a', 'b', 'c'], 0)
  for (let turn = 0; turn < 5; turn++) {
    await clock.advance(0)
    leave[turn]?.()
  }
  await clock.advance(0)

  assert.deepEqual(entered, ['a', 'b', 'c', 'a', 'a'])
  assert.equal(gate.hosts, 0)
})
