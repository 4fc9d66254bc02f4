import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, afterEach, before, test } from 'node:test'
import { silentLog, systemClock, systemRandom } from '@drover/kernel'
import {
  createGroupSpec,
  createSupervisor,
  type Group,
  type GroupEvent,
  type GroupWishes,
  type Supervisor,
} from '@drover/supervisor'
import { readRuns } from '../src/run-note.ts'
import { createDockerRuntime } from '../src/runtimes/docker.ts'
import { type DockerEngine, image, startDockerEngine } from './fixtures/docker-engine.ts'
import { beats, createPortTraffic } from './fixtures/port-traffic.ts'
import { program } from './fixtures/programs.ts'
import { until } from './fixtures/until.ts'

let engine: DockerEngine
const folders: string[] = []
const supervisors: Supervisor[] = []

before(async () => {
  engine = await startDockerEngine()
})
afterEach(async () => {
  for (const supervisor of supervisors.splice(0)) await supervisor.stop()
  assert.equal(await engine.docker('ps', '--all', '--quiet'), '', 'a container is left')
})
after(async () => {
  await engine.stop()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-docker-'))
  folders.push(folder)
  return folder
}

function runtime(command: readonly string[] = [], socket = engine.socket) {
  return { kind: 'docker', image, command, containerPort: 5000, socket } as const
}

function open(wishes: Partial<GroupWishes> = {}, folder = dataFolder()) {
  const traffic = createPortTraffic(beats)
  const events: GroupEvent[] = []
  const supervisor = createSupervisor({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    dataFolder: folder,
    traffic,
  })
  supervisors.push(supervisor)
  const spec = createGroupSpec({ name: 'web', runtime: runtime(), replicas: 1, ...wishes })
  const group = supervisor.openGroup(spec, (event) => {
    events.push(event)
    traffic.hear(event)
  })
  return { supervisor, group, events }
}

async function running(group: Group): Promise<void> {
  await until('all replicas are running', () =>
    group.replicas().every(({ state }) => state === 'running'),
  )
}

async function home(group: Group, index = 0): Promise<string> {
  const replica = group.replicas()[index]
  const answer = await fetch(`http://${replica?.host}:${replica?.port}/home`)
  return answer.text()
}

test('a replica is a container called after it, on a port of 127.0.0.1', async () => {
  const { group } = open({ replicas: 2, env: { COLOUR: 'green' } })
  await group.start()
  await running(group)

  assert.equal(await home(group), '{"message":"Hello from Server: 1","status":"successful"}')
  const names = await engine.docker('ps', '--format', '{{.Names}} {{.Ports}}')
  const [first, second] = group.replicas()
  assert.deepEqual(names.split('\n').toSorted(), [
    `Server_1 127.0.0.1:${first?.port}->5000/tcp`,
    `Server_2 127.0.0.1:${second?.port}->5000/tcp`,
  ])
  const env = await engine.docker('inspect', '--format', '{{json .Config.Env}}', 'Server_1')
  const marks = await engine.docker('inspect', '--format', '{{json .Config.Labels}}', 'Server_1')
  for (const pair of ['PORT=5000', 'HOST=0.0.0.0', 'SERVER_ID=1', 'DROVER_REPLICA=Server 1'])
    assert.ok(env.includes(pair), pair)
  assert.ok(env.includes('COLOUR=green'))
  assert.match(marks, /"drover.group":"web".*"drover.instance":".+".*"drover.replica":"Server 1"/)
  assert.ok(first?.container && first.pid)
})

for (const words of [['kill'], ['stop'], ['rm', '--force']])
  test(`a container that somebody ends by docker ${words.join(' ')} is replaced`, async () => {
    const { group, events } = open()
    await group.start()
    await running(group)

    await engine.docker(...words, 'Server_1')

    await until(
      'it is replaced',
      () =>
        group.replicas()[0]?.name.startsWith('Server ') === true &&
        group.replicas()[0]?.name !== 'Server 1',
    )
    await running(group)
    assert.match(await home(group), /Hello from Server: [a-z][a-z0-9]{5}"/)
    const gone = events.find((event) => event.kind === 'gone')
    assert.equal(gone?.expected, false)
    assert.match(
      gone?.reason ?? '',
      words[0] === 'stop' ? /exited with code 0/ : /killed by SIGKILL/,
    )
  })

test('a container that ends by itself is replaced, and its output is kept', async () => {
  const { group, events } = open({
    runtime: runtime([
      '/usr/bin/node',
      '-e',
      "console.log('out {id}'); console.error('err'); process.exit(3)",
    ]),
    backoff: { firstMs: 60_000, mostMs: 60_000 },
  })
  await group.start()

  await until('it loops', () => events.some(({ kind }) => kind === 'crash-loop'))

  const [gone] = events.filter((event) => event.kind === 'gone')
  assert.equal(gone?.reason, 'exited with code 3')
  await until('the output is there', () => group.logs('Server 1').length === 2)
  assert.deepEqual(
    group
      .logs('Server 1')
      .map(({ stream, text }) => `${stream}: ${text}`)
      .toSorted(),
    ['stderr: err', 'stdout: out 1'],
  )
})

test('a container says READY=1 in its output', async () => {
  const { group, events } = open({
    runtime: runtime([
      '/usr/bin/node',
      '-e',
      "console.log('READY=1'); setInterval(() => {}, 1000)",
    ]),
    stopTimeoutMs: 100,
  })
  await group.start()

  await until('it said so', () => events.some(({ kind }) => kind === 'said-ready'))
})

test('a stop lets the server in the container finish', async () => {
  const { group, supervisor, events } = open()
  await group.start()
  await running(group)
  await home(group)

  await supervisor.stop()

  const gone = events.find((event) => event.kind === 'gone')
  assert.equal(gone?.reason, 'the group is stopped; exited with code 0')
})

test('a rolling restart replaces containers one after the other', async () => {
  const { group } = open({ replicas: 2 })
  await group.start()
  await running(group)

  await group.rollingRestart('test')

  assert.ok(group.replicas().every(({ name }) => /^Server [a-z]/.test(name)))
})

test('a missing image fails the start with its name', async () => {
  const { group } = open({ runtime: { ...runtime(), image: 'drover-no-such-image' } })

  await assert.rejects(group.start(), {
    code: 'SPAWN_FAILED',
    message: /"drover-no-such-image" is not there/,
  })
})

test('a program that is not in the image is a crash loop that says so', async () => {
  const { group, events } = open({ runtime: runtime(['/no/such/program']) })
  await group.start()

  await until('it loops', () => events.some(({ kind }) => kind === 'crash-loop'))

  const gone = events.find((event) => event.kind === 'gone')
  assert.equal(gone?.reason, 'exited with code 127')
  await until('its output names it', () =>
    group.logs().some(({ text }) => text.includes('/no/such/program')),
  )
})

test('a foreign container with the name is left alone and named', async () => {
  await engine.docker('create', '--name', 'Server_1', image)
  const { group } = open()

  await assert.rejects(group.start(), { code: 'CONTAINER_FOREIGN', message: /"Server_1"/ })

  await group.stop()
  assert.equal(await engine.docker('ps', '--all', '--format', '{{.Names}}'), 'Server_1')
  await engine.docker('rm', 'Server_1')
})

test('two groups whose replicas would have the same container name are told so', async () => {
  const folder = dataFolder()
  const { group, supervisor } = open({}, folder)
  await group.start()
  const other = supervisor.openGroup(
    createGroupSpec({ name: 'api', runtime: runtime(), replicas: 1 }),
    () => {},
  )

  await assert.rejects(other.start(), { code: 'NAME_TAKEN', message: /"Server_1" .* group web/ })
})

test('a port that somebody took meanwhile is followed by another', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const address = holder.address()
  const taken = typeof address === 'object' && address ? address.port : 0
  const ports = [taken, 20_999]
  const docker = createDockerRuntime({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ports: { take: async () => ports.shift() ?? 0, release: () => {} },
    owner: () => ({ instance: 'ports', run: 'one' }),
    onEngine: () => {},
  })

  const instance = await docker.spawn({
    id: 'web/Server 1',
    name: 'Server 1',
    serverId: '1',
    spec: createGroupSpec({ name: 'web', runtime: runtime() }),
    output: () => 0,
    onReady: () => {},
  })

  assert.equal(instance.port, 20_999)
  instance.kill()
  await instance.ended
  await docker.settle()
  docker.close()
  holder.close()
})

test('ends that nobody heard, because the engine was away, are found out afterwards', async () => {
  const relay = await startRelay(engine.socket)
  const { group, events } = open({ runtime: runtime([], relay.socket) })
  await group.start()
  await running(group)

  relay.cut()
  await engine.docker('kill', 'Server_1')
  relay.mend()

  await until('its end was found out', () => events.some(({ kind }) => kind === 'gone'))
  await until('it is replaced', () => group.replicas()[0]?.state === 'running')
  await supervisors.pop()?.stop()
  relay.close()
})

test('kill -9 of the supervisor leaves no container', async () => {
  const folder = dataFolder()
  const host = await startHost(folder)

  host.kill('SIGKILL')

  await until('all are removed', async () => (await engine.docker('ps', '-aq')) === '', 30_000)
})

test('a supervisor removes the containers of one that died together with its watcher', async () => {
  const folder = dataFolder()
  const host = await startHost(folder)
  const [run] = readRuns(folder)
  rmSync(run?.path ?? '')
  host.kill('SIGKILL')
  await once(host, 'exit')
  assert.equal((await engine.docker('ps', '-q')).split('\n').length, 2)

  const { group } = open({}, folder)
  await group.start()
  await running(group)

  assert.equal(await engine.docker('ps', '-a', '--format', '{{.Names}}'), 'Server_1')
  assert.match(await home(group), /Server: 1"/)
})

async function startHost(folder: string): Promise<ChildProcess> {
  const wishes = JSON.stringify({ name: 'web', runtime: runtime(), replicas: 2 })
  const host = spawn(process.execPath, [program('host'), folder, wishes], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(createInterface({ input: host.stdout }), 'line')
  return host
}

/** A way to the engine that can be cut, as when the engine is restarted. */
async function startRelay(target: string) {
  const socket = join(dataFolder(), 'relay.sock')
  const sockets = new Set<Socket>()
  let open = true
  const server = createServer((near) => {
    if (!open) {
      near.destroy()
      return
    }
    const far = connect(target)
    for (const one of [near, far]) {
      sockets.add(one)
      one.once('close', () => {
        sockets.delete(one)
        near.destroy()
        far.destroy()
      })
      one.on('error', () => {})
    }
    near.pipe(far).pipe(near)
  }).listen(socket)
  await once(server, 'listening')
  return {
    socket,
    cut() {
      open = false
      for (const one of sockets) one.destroy()
    },
    mend() {
      open = true
    },
    close: () => server.close(),
  }
}
