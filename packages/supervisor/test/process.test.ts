import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silentLog, systemClock, systemRandom } from '@drover/kernel'
import {
  createGroupSpec,
  createSupervisor,
  type Group,
  type GroupEvent,
  type GroupWishes,
} from '@drover/supervisor'
import { createPortTraffic, isOpen } from './fixtures/port-traffic.ts'
import { nodeCommand } from './fixtures/programs.ts'
import { until } from './fixtures/until.ts'

const dataFolder = mkdtempSync(join(tmpdir(), 'drover-process-'))
const traffic = createPortTraffic()
const supervisor = createSupervisor({
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  dataFolder,
  traffic,
})
after(async () => {
  await supervisor.stop()
  rmSync(dataFolder, { recursive: true, force: true })
})

let groups = 0

/** Opens a group of processes under a name of its own. */
function open(command: readonly string[], wishes: Partial<GroupWishes> = {}) {
  const events: GroupEvent[] = []
  const spec = createGroupSpec({
    name: `group-${++groups}`,
    runtime: { kind: 'process', command },
    replicas: 1,
    ...wishes,
  })
  const group = supervisor.openGroup(spec, (event) => {
    events.push(event)
    traffic.hear(event)
  })
  return { group, events }
}

async function running(group: Group): Promise<void> {
  await group.start()
  await until('all replicas are running', () =>
    group.replicas().every(({ state }) => state === 'running'),
  )
}

async function ask(group: Group, index = 0): Promise<Record<string, unknown>> {
  const replica = group.replicas()[index]
  const answer = await fetch(`http://${replica?.host}:${replica?.port}/`)
  return (await answer.json()) as Record<string, unknown>
}

test('a replica has its port, host, id and name, its words are filled in, and the spec adds to it', async () => {
  const words = ['--port={port}', '{id}/{name}', '{other}']
  const { group } = open(nodeCommand('echo-server', ...words), { env: { GREETING: 'hello' } })
  await running(group)

  const answer = await ask(group)

  assert.deepEqual(answer, {
    SERVER_ID: '1',
    DROVER_REPLICA: 'Server 1',
    HOST: '127.0.0.1',
    GREETING: 'hello',
    words: [`--port=${group.replicas()[0]?.port}`, '1/Server 1', '{other}'],
  })
})

test('a replica killed with SIGKILL is followed by another that answers', async () => {
  const { group, events } = open(nodeCommand('echo-server'), { replicas: 2 })
  await running(group)
  const [first] = group.replicas()

  process.kill(first?.pid ?? 0, 'SIGKILL')

  await until('it is gone', () => events.some(({ kind }) => kind === 'gone'))
  await running(group)
  assert.equal(group.replicas().length, 2)
  assert.match(String((await ask(group)).SERVER_ID), /^[a-z][a-z0-9]{5}$/)
  const gone = events.find((event) => event.kind === 'gone')
  assert.equal(gone?.reason, 'was killed by SIGKILL')
})

test('the whole group of a dead replica is dead', async () => {
  const shell = `${nodeCommand('echo-server').join(' ')} & echo child $!; wait`
  const { group } = open(['sh', '-c', shell])
  await running(group)
  const [replica] = group.replicas()

  process.kill(replica?.pid ?? 0, 'SIGKILL')

  await until('its port is closed', async () => !(await isOpen(replica?.port ?? 0)))
})

for (const [what, word] of [
  ['a message over its channel', 'says-ready'],
  ['a line of output', 'prints-ready'],
] as const)
  test(`a replica says by ${what} that it is ready`, async () => {
    const { group, events } = open(nodeCommand('echo-server', word))
    await running(group)

    await until('it said so', () => events.some(({ kind }) => kind === 'said-ready'))
  })

test('garbage and endless lines on the channel of a node program harm nobody', async () => {
  const { group, events } = open(nodeCommand('babbler'))
  await group.start()

  await until('it said that it is ready', () => events.some(({ kind }) => kind === 'said-ready'))

  assert.equal(group.replicas()[0]?.name, 'Server 1')
})

test('a program other than node gets no channel, nor do its children', async () => {
  const { group } = open(['sh', '-c', 'echo "channel:$NODE_CHANNEL_FD"; exec sleep 60'])
  await group.start()

  await until('it printed', () => group.logs().length > 0)

  assert.equal(group.logs()[0]?.text, 'channel:')
})

const impossible: [string, readonly string[], string | undefined, RegExp][] = [
  [
    'a missing program',
    ['drover-no-such-program'],
    undefined,
    /"drover-no-such-program" was not found/,
  ],
  [
    'a missing folder',
    nodeCommand('echo-server'),
    '/drover/none',
    /folder "\/drover\/none" does not/,
  ],
  ['a file that is no program', [join(dataFolder, 'plain')], undefined, /may not be run/],
]

for (const [what, command, cwd, message] of impossible)
  test(`${what} fails the start with words that say so`, async () => {
    writeFileSync(join(dataFolder, 'plain'), 'nothing to run', { mode: 0o600 })
    const runtime = { kind: 'process' as const, command, ...(cwd === undefined ? {} : { cwd }) }
    const { group } = open(command, { runtime })

    await assert.rejects(group.start(), { code: 'SPAWN_FAILED', message })

    await group.stop()
  })

test('a replica whose port is taken before it listens gets another port under the same name', async () => {
  const { group, events } = open(nodeCommand('robbed'), {
    env: { MARK: join(dataFolder, 'robbed') },
  })
  await group.start()

  // The thief may answer for the first; the second is what is waited for.
  await until('the second start is running', () =>
    group.replicas().every(({ state, id }) => state === 'running' && id.endsWith('~2')),
  )

  const thief = Number(/thief (\d+)/.exec(group.logs()[0]?.text ?? '')?.[1])
  process.kill(thief, 'SIGKILL')
  assert.deepEqual(
    group.replicas().map(({ name, restarts, id }) => [name, restarts, id.endsWith('~2')]),
    [['Server 1', 0, true]],
  )
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['spawned', 'gone', 'spawned'],
  )
})

test('a replica that ignores the stop signal is killed after its stop timeout', async () => {
  const { group, events } = open(nodeCommand('echo-server', 'stubborn'), { stopTimeoutMs: 300 })
  await running(group)

  await group.stop()

  const gone = events.find((event) => event.kind === 'gone')
  assert.match(gone?.reason ?? '', /was killed by SIGKILL$/)
  assert.equal(gone?.expected, true)
})

test('output is kept for the living and the dead, with its streams apart', async () => {
  const { group, events } = open(['sh', '-c', 'echo out; echo err >&2; printf "no end"; sleep 60'])
  const followed: string[] = []
  const stop = group.follow(({ text }) => followed.push(text))
  await group.start()
  await until('both lines are there', () => group.logs().length === 2)
  process.kill(group.replicas()[0]?.pid ?? 0, 'SIGKILL')
  await until('it is gone', () => events.some(({ kind }) => kind === 'gone'))
  await until('its last words are there', () => group.logs('Server 1').length === 3)
  stop()

  const lines = group.logs('Server 1').map(({ stream, text }) => `${stream}: ${text}`)
  assert.deepEqual(lines.toSorted(), ['stderr: err', 'stdout: no end', 'stdout: out'])
  assert.ok(followed.includes('no end'))
})

test('ports are not taken from those that outgoing connections use', async () => {
  const { group } = open(nodeCommand('echo-server'), { replicas: 3 })
  await running(group)

  for (const { port } of group.replicas()) assert.ok(port >= 20_000 && port < 32_768, `${port}`)
  assert.equal(new Set(group.replicas().map(({ port }) => port)).size, 3)
})
