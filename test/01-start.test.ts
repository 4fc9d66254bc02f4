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
