import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  anyPort,
  type RunningDrover,
  readyReplicas,
  runDrover,
  startDrover,
  temporaryFolder,
} from './harness/drover.ts'
import { get, startLoad } from './harness/load.ts'
import { homeServer } from './harness/project.ts'
import { connectRaw } from './harness/raw-http.ts'
import { until } from './harness/until.ts'

const command = JSON.stringify([process.execPath, homeServer])

/** A drover.yaml with `replicas` of the sample server behind a free port. */
function configOf(replicas: number, more = ''): string {
  return `services:
  web:
    command: ${command}
    replicas: ${replicas}
    health: { path: /heartbeat }
listeners:
  - { address: '127.0.0.1:0', service: web }
admin: { address: '127.0.0.1:0' }
${more}`
}

test('a wish to drain that cannot be understood is refused, and none at all is one', async (context) => {
  const words = ['balance', ...anyPort, '-n', '2', '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)
  const drain = (options: RequestInit) =>
    fetch(`${drover.admin}/v1/services/web/replicas/1/drain`, { method: 'POST', ...options })
  const json = (body: unknown) =>
    drain({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

  const wrong = await json({ undo: 'perhaps' })
  const more = await json({ undoo: true })
  const bare = await drain({})

  assert.deepEqual([wrong.status, more.status], [400, 400])
  assert.match(await wrong.text(), /undo/)
  assert.equal(bare.status, 202)
  assert.equal((await json({ undo: true })).status, 202)
})

test('a drained replica gets nothing new, and comes back', async (context) => {
  const words = ['balance', ...anyPort, '-n', '2', '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)
  const url = `${await drover.url()}/home`
  const cwd = drover.folder

  const drained = await runDrover(['drain', 'web', 'Server 1'], { cwd })
  const load = startLoad(url, 4)
  await until('requests flow', () => load.answered > 50)
  const during = await load.stop()
  const undone = await runDrover(['drain', 'web', '1', '--undo'], { cwd })

  assert.equal(drained.code, 0, drained.stderr)
  assert.deepEqual(during.failures, {})
  assert.deepEqual(Object.keys(during.bodies), [
    '{"message":"Hello from Server: 2","status":"successful"}',
  ])
  assert.equal(undone.code, 0, undone.stderr)
  await until('Server 1 answers again', async () => (await get(url)).body.includes('Server: 1'))
})

test('a reload under load moves to the new file without dropping a connection', async (context) => {
  const folder = await temporaryFolder()
  const file = join(folder, 'drover.yaml')
  await writeFile(file, configOf(2))
  const drover = await startDrover(context, ['up'], { folder })
  const url = await drover.url()
  const idle = await connectRaw(url)
  const load = startLoad(`${url}/home`, 8)
  await until('requests flow', () => load.answered > 100)

  await writeFile(file, configOf(3).replace('health:', 'policy: least-connections\n    health:'))
  const { code, stderr } = await runDrover(['reload'], { cwd: folder })
  await until('three are ready', async () => (await drover.status()).services[0]?.available === 3)
  const answered = load.answered
  await until('requests flow on', () => load.answered > answered + 100)
  const { failures, total } = await load.stop()
  idle.write('GET /home HTTP/1.1\r\nHost: x\r\n\r\n')

  assert.equal(code, 0, stderr)
  assert.deepEqual(failures, {}, `of ${total}`)
  assert.equal((await drover.status()).services[0]?.policy, 'least-connections')
  await until('the connection from before is served', () =>
    idle.received().startsWith('HTTP/1.1 200'),
  )
  idle.socket.destroy()
})

test('a reload changes the weights of replicas that run', async (context) => {
  const folder = await temporaryFolder()
  const file = join(folder, 'drover.yaml')
  const weighted = (weight: number) =>
    configOf(2).replace('health:', `weights: { Server 1: ${weight} }\n    health:`)
  await writeFile(file, weighted(3))
  const drover = await startDrover(context, ['up'], { folder })
  const weights = async () =>
    Object.fromEntries((await readyReplicas(drover)).map(({ name, weight }) => [name, weight]))
  const before = await weights()

  await writeFile(file, weighted(5))
  await drover.post('/v1/reload')

  assert.deepEqual(before, { 'Server 1': 3, 'Server 2': 1 })
  assert.deepEqual(await weights(), { 'Server 1': 5, 'Server 2': 1 })
})

test('SIGHUP reloads, too', async (context) => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'drover.yaml'), configOf(1))
  const drover = await startDrover(context, ['up'], { folder })

  await writeFile(join(folder, 'drover.yaml'), configOf(2))
  drover.child.kill('SIGHUP')

  await until('two are ready', async () => (await drover.status()).services[0]?.available === 2)
})

test('a bad configuration is refused whole, and the old one stays', async (context) => {
  const folder = await temporaryFolder()
  const file = join(folder, 'drover.yaml')
  await writeFile(file, configOf(2))
  const drover = await startDrover(context, ['up'], { folder })
  const before = await drover.status()

  const refused: [text: string, reason: RegExp][] = [
    [
      configOf(3).replace('health', 'heath'),
      /drover\.yaml:5: services\.web\.heath: unknown key; did you mean "health"\?/,
    ],
    [configOf(3, 'door: { workers: 2 }'), /door cannot change while Drover runs/],
    [configOf(3).replace('service: web', 'service: wbe'), /did you mean "web"\?/],
  ]
  for (const [text, reason] of refused) {
    await writeFile(file, text)
    const { code, stderr } = await runDrover(['reload'], { cwd: folder })
    assert.notEqual(code, 0)
    assert.match(stderr, reason)
  }

  const after = await drover.status()
  assert.equal(after.services[0]?.wanted, 2)
  assert.deepEqual(
    after.services[0]?.replicas.map(({ pid }) => pid),
    before.services[0]?.replicas.map(({ pid }) => pid),
  )
  assert.equal((await get(`${await drover.url()}/home`)).status, 200)
})

const slow = `require('http').createServer((q, s) => setTimeout(() => s.end('slow'), q.url === '/wait' ? 1000 : 0))
  .listen(process.env.PORT, process.env.HOST)`

const both = `services:
  web: { command: ${command}, replicas: 1 }
  slow: { command: ${JSON.stringify([process.execPath, '-e', slow])}, replicas: 1 }
listeners:
  - address: '127.0.0.1:0'
    name: front
    routes: [{ exact: /wait, service: slow }]
    service: web
admin: { address: '127.0.0.1:0' }
`

const one = both.replace(/ {2}slow:.*\n/, '').replace(/ {4}routes:.*\n/, '')

/** Starts a request that takes a second, and resolves when it is under way. */
async function startWaiting(drover: RunningDrover, url: string) {
  const answer = get(`${url}/wait`)
  await until('it is under way', async () => {
    const { services } = await drover.status()
    const replicas = services.find(({ name }) => name === 'slow')?.replicas ?? []
    return replicas.some(({ inFlight }) => inFlight === 1)
  })
  return { answer }
}

test('a service that leaves the file drains before it stops, and may come back', async (context) => {
  const folder = await temporaryFolder()
  const file = join(folder, 'drover.yaml')
  await writeFile(file, both)
  const drover = await startDrover(context, ['up'], { folder })
  const url = await drover.url()

  const waiting = await startWaiting(drover, url)
  await writeFile(file, one)
  await drover.post('/v1/reload')
  const answer = await waiting.answer
  await until('it is gone', async () => (await drover.status()).services.length === 1)

  assert.deepEqual(answer, { status: 200, body: 'slow' })
  assert.equal((await get(`${url}/wait`)).status, 404)
  await writeFile(file, both)
  await drover.post('/v1/reload')
  await until('it answers again', async () => (await get(`${url}/wait`)).body === 'slow')
})

test('a service that comes back before it has gone is started again', async (context) => {
  const folder = await temporaryFolder()
  const file = join(folder, 'drover.yaml')
  await writeFile(file, both)
  const drover = await startDrover(context, ['up'], { folder })
  const url = await drover.url()

  const waiting = await startWaiting(drover, url)
  for (const text of [one, both]) {
    await writeFile(file, text)
    await drover.post('/v1/reload')
  }

  assert.deepEqual(await waiting.answer, { status: 200, body: 'slow' })
  await until('it answers again', async () => (await get(`${url}/wait`)).body === 'slow')
})
