import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { systemClock } from '@drover/kernel'
import { chooseLeftovers, endLeftovers, type Leftovers, ownGroups } from '../src/leftovers.ts'
import {
  listProcesses,
  markVariable,
  type ProcessEntry,
  parsePs,
  startTicksOf,
} from '../src/processes.ts'

function choose(processes: readonly ProcessEntry[], leftovers: Leftovers): ProcessEntry[] {
  return chooseLeftovers(processes, leftovers, ownGroups(processes, leftovers))
}

const none = { marked: () => false, leaders: [] }
const entry = { pid: 5_000_001, group: 5_000_001, startTicks: 77, zombie: false, mark: undefined }

test('the group of a noted leader is left over, with all that is in it', () => {
  const child = { ...entry, pid: 5_000_002, startTicks: 80 }

  const chosen = choose([entry, child], {
    ...none,
    leaders: [{ pid: 5_000_001, startTicks: 77 }],
  })

  assert.deepEqual(chosen, [entry, child])
})

test('a process that started at another time under the same pid is a stranger', () => {
  const leaders = [{ pid: 5_000_001, startTicks: 76 }]

  assert.deepEqual(choose([entry], { ...none, leaders }), [])
})

test('of a group without its leader only those with our mark are ours', () => {
  const ours = { ...entry, pid: 5_000_002, mark: 'us/run/web/1' }
  const stranger = { ...entry, pid: 5_000_003 }
  const leaders = [{ pid: 5_000_001, startTicks: 77 }]

  const chosen = choose([ours, stranger], {
    marked: (mark) => mark.startsWith('us/'),
    leaders,
  })

  assert.deepEqual(chosen, [ours])
})

test('zombies and this process itself are never chosen', () => {
  const zombie = { ...entry, zombie: true, mark: 'us' }
  const self = { ...entry, pid: process.pid, mark: 'us' }

  assert.deepEqual(choose([zombie, self], { marked: () => true, leaders: [] }), [])
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

test('what is left of a group is ended although its leader is the first to end', async () => {
  const child = spawn(
    'sh',
    ['-c', 'trap "exit 0" TERM; (trap "" TERM; while :; do sleep 1; done) & echo $!; wait'],
    { detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const [line] = await once(child.stdout, 'data')
  const stubborn = Number(String(line))
  const pid = child.pid ?? 0

  const ended = await endLeftovers(
    { marked: () => false, leaders: [{ pid, startTicks: startTicksOf(pid) ?? 0 }] },
    systemClock,
  )

  assert.ok(ended >= 2)
  assert.equal(startTicksOf(stubborn), undefined)
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
