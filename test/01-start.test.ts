import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyPort, lives, readyReplicas, startDrover } from './harness/drover.ts'
import { get } from './harness/load.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

test('three replicas answer in turn behind one address', async (context) => {
  const words = ['balance', ...anyPort, '--replicas', '3', '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)
  const url = await drover.url()

  const seen: Record<string, number> = {}
  for (let count = 0; count < 30; count++) {
    const { status, body } = await get(`${url}/home`)
    assert.equal(status, 200)
    seen[body] = (seen[body] ?? 0) + 1
  }

  assert.deepEqual(seen, {
    '{"message":"Hello from Server: 1","status":"successful"}': 10,
    '{"message":"Hello from Server: 2","status":"successful"}': 10,
    '{"message":"Hello from Server: 3","status":"successful"}': 10,
  })
})

test('the start message says what runs where, and how to stop it', async (context) => {
  const words = ['balance', ...anyPort, '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)
  const url = await drover.url()

  await until('it was said', () => drover.output().includes('Ctrl-c'))

  assert.match(drover.output(), /^drover \d+\.\d+\.\d+$/m)
  assert.ok(drover.output().includes(`${url}  → web`), drover.output())
  assert.match(
    drover.output(),
    /^ {2}web +3 replicas, ready, round-robin: Server 1, Server 2, Server 3$/m,
  )
  assert.ok(drover.output().includes(drover.admin), drover.output())
})

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} stops everything and leaves nothing`, async (context) => {
    const words = ['balance', ...anyPort, '--', process.execPath, homeServer]
    const drover = await startDrover(context, words)
    const pids = (await readyReplicas(drover)).map(({ pid }) => pid)

    drover.child.kill(signal)
    const code = await drover.ended

    assert.equal(code, 0)
    assert.equal(pids.length, 3)
    for (const pid of pids) assert.equal(await lives(pid), false)
    assert.match(drover.output(), /stopping; once more stops at once/)
  })

test('ctrl-c lets a request end that is under way, and takes no new one', async (context) => {
  const slow = `require('http').createServer((q, s) => setTimeout(() => s.end('late'), q.url === '/slow' ? 700 : 0))
    .listen(process.env.PORT, process.env.HOST)`
  const words = ['balance', ...anyPort, '-n', '1', '--', process.execPath, '-e', slow]
  const drover = await startDrover(context, words)
  const url = await drover.url()
  const answer = get(`${url}/slow`)
  await until('it is under way', async () => (await readyReplicas(drover))[0]?.inFlight === 1)

  drover.child.kill('SIGINT')
  await until('nobody listens any more', async () => (await get(url)).status === 0)

  assert.deepEqual(await answer, { status: 200, body: 'late' })
  assert.equal(await drover.ended, 0)
})

test('ctrl-c waits no longer than the grace for what does not end', async (context) => {
  const endless = `require('http').createServer((q, s) => { s.writeHead(200); s.write('and') })
    .listen(process.env.PORT, process.env.HOST)`
  const flags = ['-n', '1', '--health', 'tcp', '--grace', '300ms', '--drain-timeout', '1h']
  const words = ['balance', ...anyPort, ...flags, '--', process.execPath, '-e', endless]
  const drover = await startDrover(context, words)
  const answer = get(await drover.url())
  await until('it is under way', async () => (await readyReplicas(drover))[0]?.inFlight === 1)

  drover.child.kill('SIGINT')
  const code = await drover.ended

  assert.equal(code, 0)
  assert.equal((await answer).status, 0)
})

test('a program in any language is a replica: its port is filled into its words', async (context) => {
  const script =
    'require("http").createServer((q, s) => s.end(process.argv[1] + " " + process.argv[2])).listen(process.argv[1])'
  const words = [
    'balance',
    ...anyPort,
    '-n',
    '1',
    '--',
    process.execPath,
    '-e',
    script,
    '{port}',
    '{id}',
  ]
  const drover = await startDrover(context, words)
  const [replica] = await readyReplicas(drover)

  const { body } = await get(await drover.url())

  assert.equal(body, `${replica?.address.split(':')[1]} 1`)
})
