import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { chooseLeftovers } from '../src/leftovers.ts'
import { listProcesses, markVariable, parsePs, startTicksOf } from '../src/processes.ts'

const none = { marked: () => false, leaders: [] }
const entry = { pid: 5_000_001, group: 5_000_001, startTicks: 77, zombie: false, mark: undefined }

test('the group of a noted leader is left over, with all that is in it', () => {
  const child = { ...entry, pid: 5_000_002, startTicks: 80 }

  const chosen = chooseLeftovers([entry, child], {
    ...none,
    leaders: [{ pid: 5_000_001, startTicks: 77 }],
  })

  assert.deepEqual(chosen, [entry, child])
})

test('a process that started at another time under the same pid is a stranger', () => {
  const leaders = [{ pid: 5_000_001, startTicks: 76 }]

  assert.deepEqual(chooseLeftovers([entry], { ...none, leaders }), [])
})

test('of a group without its leader only those with our mark are ours', () => {
  const ours = { ...entry, pid: 5_000_002, mark: 'us/run/web/1' }
  const stranger = { ...entry, pid: 5_000_003 }
  const leaders = [{ pid: 5_000_001, startTicks: 77 }]

  const chosen = chooseLeftovers([ours, stranger], {
    marked: (mark) => mark.startsWith('us/'),
    leaders,
  })

  assert.deepEqual(chosen, [ours])
})

test('zombies and this process itself are never chosen', () => {
  const zombie = { ...entry, zombie: true, mark: 'us' }
  const self = { ...entry, pid: process.pid, mark: 'us' }

  assert.deepEqual(chooseLeftovers([zombie, self], { marked: () => true, leaders: [] }), [])
})

test('the list of processes shows the mark, the group and the start of a child', async () => {
  const child = spawn('sleep', ['60'], {
    env: { ...process.env, [markVariable]: 'instance/run/web/Server 1' },
    detached: true,
  })
  await once(child, 'spawn')

  const found = (await listProcesses()).find(({ pid }) => pid === child.pid)

  assert.equal(found?.mark, 'instance/run/web/Server 1')
  assert.equal(found?.group, child.pid)
  assert.equal(found?.startTicks, startTicksOf(child.pid ?? 0))
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(startTicksOf(child.pid ?? 0), undefined)
})

test('where there is no /proc, the output of ps is read', () => {
  const text = [
    '    1     1 Ss   Sat Nov 21 08:37:01 2026',
    '  420   419 Z+   Sat Nov 21 08:37:04 2026',
    'nonsense',
    '',
  ].join('\n')

  const [first, second, ...rest] = parsePs(text)

  assert.deepEqual(rest, [])
  assert.deepEqual([first?.pid, first?.group, first?.zombie], [1, 1, false])
  assert.deepEqual([second?.pid, second?.group, second?.zombie], [420, 419, true])
  assert.equal((second?.startTicks ?? 0) - (first?.startTicks ?? 0), 3)
})
