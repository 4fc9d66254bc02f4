import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { silentLog, systemClock, systemRandom } from '@drover/kernel'
import { createGroupSpec, createSupervisor, type GroupWishes } from '@drover/supervisor'
import { listProcesses, type ProcessEntry } from '../src/processes.ts'
import { readRuns } from '../src/run-note.ts'
import { createPortTraffic } from './fixtures/port-traffic.ts'
import { nodeCommand, program } from './fixtures/programs.ts'
import { until } from './fixtures/until.ts'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-orphans-'))
  folders.push(folder)
  return folder
}

/** Starts a supervisor in a process of its own; resolves when all its replicas are ready. */
async function startHost(folder: string, wishes: Partial<GroupWishes>): Promise<ChildProcess> {
  const spec = {
    name: 'web',
    runtime: { kind: 'process', command: nodeCommand('echo-server') },
    replicas: 2,
    ...wishes,
  }
  const host = spawn(process.execPath, [program('host'), folder, JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: host.stdout })) {
    const pids = JSON.parse(line) as number[]
    assert.equal(pids.length, spec.replicas)
    return host
  }
  throw new Error('the supervisor ended before its replicas were ready')
}

/** Every living process that descends from a replica of the folder's supervisors. */
async function descendants(folder: string): Promise<ProcessEntry[]> {
  const instance = readFileSync(join(folder, 'instance'), 'utf8')
  return (await listProcesses()).filter(
    ({ mark, zombie }) => !zombie && mark?.startsWith(`${instance}/`),
  )
}

async function watcherOf(folder: string): Promise<number> {
  const [run] = readRuns(folder)
  assert.ok(run)
  for (const { pid } of await listProcesses())
    if (pid !== run.note.supervisor.pid && commandLine(pid).includes(run.path)) return pid
  throw new Error('there is no watcher')
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

async function kill(host: ChildProcess): Promise<void> {
  host.kill('SIGKILL')
  await once(host, 'exit')
}

function supervisorIn(folder: string) {
  const traffic = createPortTraffic()
  return createSupervisor({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    dataFolder: folder,
    traffic,
  })
}

const commands: Record<string, string[]> = {
  'a plain program': nodeCommand('echo-server'),
  'a shell that waits for its server': [
    'sh',
    '-c',
    `${nodeCommand('echo-server').join(' ')} & wait`,
  ],
  'a program with children, one of them in another session': nodeCommand('daemonizer'),
  'a program that ignores SIGTERM': nodeCommand('echo-server', 'stubborn'),
}

// Most of each test is waiting, and each has its own folder: they run side by side.
describe('a supervisor and its replicas', { concurrency: 5 }, () => {
  for (const [what, command] of Object.entries(commands))
    test(`kill -9 of the supervisor leaves nothing of ${what}`, async () => {
      const folder = dataFolder()
      const host = await startHost(folder, { runtime: { kind: 'process', command } })
      const before = await descendants(folder)
      assert.ok(before.length >= 2)

      await kill(host)

      await until('no replica is left', async () => (await descendants(folder)).length === 0)
      await until('the note is gone', () => readRuns(folder).length === 0)
    })

  test('kill -9 of the supervisor leaves nothing of npm start', async () => {
    const folder = dataFolder()
    const script = nodeCommand('echo-server').join(' ')
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { start: script } }))
    const runtime = { kind: 'process' as const, command: ['npm', 'start'], cwd: folder }
    const host = await startHost(folder, { runtime, replicas: 1 })
    assert.ok((await descendants(folder)).length >= 2)

    await kill(host)

    await until('no replica is left', async () => (await descendants(folder)).length === 0)
  })

  test('a supervisor cleans up what one left that died together with its watcher', async () => {
    const folder = dataFolder()
    const host = await startHost(folder, {
      runtime: { kind: 'process', command: nodeCommand('daemonizer') },
    })
    process.kill(await watcherOf(folder), 'SIGKILL')
    await kill(host)
    assert.ok((await descendants(folder)).length >= 6)

    const supervisor = supervisorIn(folder)
    await supervisor.start()

    assert.deepEqual(await descendants(folder), [])
    assert.equal(readRuns(folder).length, 1)
    await supervisor.stop()
    assert.equal(readRuns(folder).length, 0)
  })

  test('a watcher that somebody kills is started again, and then does its work', async () => {
    const folder = dataFolder()
    const host = await startHost(folder, {})
    const first = await watcherOf(folder)
    process.kill(first, 'SIGKILL')
    await until('there is another watcher', () =>
      watcherOf(folder).then(
        (pid) => pid !== first,
        () => false,
      ),
    )

    await kill(host)

    await until('no replica is left', async () => (await descendants(folder)).length === 0)
  })

  test('a second supervisor in the folder of a living one is refused and harms nobody', async () => {
    const folder = dataFolder()
    const host = await startHost(folder, {})
    const before = await descendants(folder)

    await assert.rejects(supervisorIn(folder).start(), { code: 'FOLDER_IN_USE' })

    assert.deepEqual(
      (await descendants(folder)).map(({ pid }) => pid),
      before.map(({ pid }) => pid),
    )
    await kill(host)
    await until('no replica is left', async () => (await descendants(folder)).length === 0)
  })

  test('a process that has the pid of a dead replica by chance is not touched', async () => {
    const folder = dataFolder()
    const stranger = spawn(process.execPath, [program('idle')], { stdio: 'ignore', detached: true })
    await once(stranger, 'spawn')
    const host = await startHost(folder, { replicas: 1 })
    process.kill(await watcherOf(folder), 'SIGKILL')
    await kill(host)
    const [run] = readRuns(folder)
    assert.ok(run)
    const leaders = [{ pid: stranger.pid, startTicks: 1 }]
    writeFileSync(run.path, JSON.stringify({ ...run.note, leaders }))

    const supervisor = supervisorIn(folder)
    await supervisor.start()
    await supervisor.stop()

    assert.deepEqual(await descendants(folder), [])
    assert.equal(stranger.exitCode ?? stranger.signalCode, null)
    stranger.kill('SIGKILL')
  })

  test('a stop ends children in other sessions too, and lets a server behind a shell finish', async () => {
    const folder = dataFolder()
    const goodbye = join(folder, 'goodbye')
    const shell = `${nodeCommand('echo-server', 'goodbye', goodbye).join(' ')} & wait`
    const traffic = createPortTraffic()
    const supervisor = createSupervisor({
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      dataFolder: folder,
      traffic,
    })
    const open = (name: string, command: string[]) =>
      supervisor.openGroup(
        createGroupSpec({
          name,
          runtime: { kind: 'process', command },
          replicas: 1,
          stopTimeoutMs: 2_000,
        }),
        (event) => traffic.hear(event),
      )
    const groups = [open('shell', ['sh', '-c', shell]), open('daemons', nodeCommand('daemonizer'))]
    for (const group of groups) await group.start()
    await until('all are running', () =>
      groups.every((group) => group.replicas().every(({ state }) => state === 'running')),
    )

    await supervisor.stop()

    assert.deepEqual(await descendants(folder), [])
    assert.equal(readFileSync(goodbye, 'utf8'), 'finished what was under way')
  })
})
