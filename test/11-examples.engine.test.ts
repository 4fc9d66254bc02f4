import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkContract } from './harness/classroom.ts'
import { anyPort, lives, readyReplicas, runDrover, startDrover } from './harness/drover.ts'
import { copyExample } from './harness/examples.ts'
import { get, startLoad } from './harness/load.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

for (const engine of ['nginx', 'haproxy'] as const) {
  test(`examples/${engine} serves while replicas die, come, go and are renewed`, async (context) => {
    const folder = await copyExample(engine)
    const drover = await startDrover(context, ['up'], { folder })
    const url = await drover.url()
    await served(url)
    // An nginx older than 1.27.4 closes idle connections at each reload.
    const load = startLoad(`${url}/home`, 4, { repeats: engine === 'nginx' })
    await until('requests flow', () => load.answered > 100)

    const [victim] = await readyReplicas(drover)
    assert.ok(victim)
    process.kill(victim.pid, 'SIGKILL')
    await until('three are ready without it', async () => {
      const ready = await readyReplicas(drover)
      return ready.length === 3 && !ready.some(({ id }) => id === victim.id)
    })
    for (const count of [5, 2]) {
      await drover.post('/v1/services/web/scale', { replicas: count })
      await until(`${count} are there, all ready`, async () => {
        const { services } = await drover.status()
        const replicas = services[0]?.replicas ?? []
        return replicas.length === count && replicas.every(({ state }) => state === 'ready')
      })
    }
    const restart = await runDrover(['restart', 'web'], { cwd: folder })
    const answered = load.answered
    await until('requests flow on', () => load.answered > answered + 100)
    const { failures, total } = await load.stop()

    assert.equal(restart.code, 0, restart.stderr)
    assert.deepEqual(failures, {}, `of ${total}`)
    const moved = await fetch(`${url}/old-home`, { redirect: 'manual' })
    assert.equal(moved.status, 301)
    assert.match(moved.headers.get('location') ?? '', /\/home$/)
  })

  test(`SIGKILL of drover leaves neither replicas nor ${engine} behind`, async (context) => {
    const words = ['balance', ...anyPort, '--engine', engine, '--', process.execPath, homeServer]
    const drover = await startDrover(context, words)
    const url = await drover.url()
    const pids = (await readyReplicas(drover)).map(({ pid }) => pid)

    drover.child.kill('SIGKILL')
    await drover.ended

    for (const pid of pids) await until('a replica has ended', async () => !(await lives(pid)))
    await until('nobody listens any more', async () => (await get(url)).status === 0)
  })

  test(`a policy that ${engine} lacks is refused with the engines that have it`, async () => {
    const flags = ['--engine', engine, '--policy', 'slot-ring']
    const folder = await copyExample(engine)

    const { code, stderr } = await runDrover(
      ['balance', ...anyPort, ...flags, '--', process.execPath, homeServer],
      { cwd: folder },
    )

    assert.equal(code, 2)
    assert.match(stderr, /slot-ring/)
    assert.match(stderr, /builtin/)
  })
}

test('the classroom API on the front door is the same with HAProxy', async (context) => {
  const flags = ['--engine', 'haproxy', '-n', '3', '--manage', '/', '--health', '/heartbeat']
  const words = ['balance', ...anyPort, ...flags, '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)
  const url = await drover.url()
  await served(url)

  await checkContract(context, url, 'haproxy')
})

test('nginx cannot name a path in an answer, and so the classroom API is refused there', async () => {
  const folder = await copyExample('nginx')
  const flags = ['--engine', 'nginx', '--manage', '/']
  const words = ['balance', ...anyPort, ...flags, '--', process.execPath, homeServer]

  const { code, stderr } = await runDrover(words, { cwd: folder })

  assert.equal(code, 2)
  assert.match(stderr, /--manage: .*nginx.*; builtin and haproxy can/)
})

/** Resolves when the first request is answered: a foreign engine learns of replicas a little later. */
function served(url: string): Promise<true> {
  return until('a request is answered', async () => (await get(`${url}/home`)).status === 200)
}
