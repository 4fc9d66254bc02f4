import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, checkContract, listing, names } from './harness/classroom.ts'
import { anyPort, readyReplicas, startDrover } from './harness/drover.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

const classroom = [
  'balance',
  ...anyPort,
  ...['--replicas', '3', '--policy', 'slot-ring', '--manage', '/', '--health', '/heartbeat'],
  ...['--', process.execPath, homeServer],
]

test('the contract of the customizable load balancer, request by request', async (context) => {
  const drover = await startDrover(context, classroom)

  await checkContract(context, await drover.url())
})

test('a replica that dies is replaced under a new random name, so that N holds', async (context) => {
  const drover = await startDrover(context, classroom)
  const url = await drover.url()
  const victim = (await readyReplicas(drover)).find(({ name }) => name === 'Server 2')
  assert.ok(victim)

  process.kill(victim.pid, 'SIGKILL')

  const now = await until('another is in its place', async () => {
    const list = await names(url)
    return list.length === 3 && !list.includes('Server 2') && list
  })
  assert.deepEqual(now.slice(0, 1), ['Server 1'])
  assert.ok(now.includes('Server 3'))
  assert.match(now.find((name) => !/^Server [13]$/.test(name)) ?? '', /^Server \S+$/)
})

test('the admin port serves the same API, also by the name of the service', async (context) => {
  const words = ['balance', ...anyPort, '-n', '2', '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)

  const rep = await ask('GET', `${drover.admin}/rep`)
  const add = await ask('POST', `${drover.admin}/v1/services/web/add`, '{"n":1,"hostnames":["S3"]}')
  const onTheDoor = await ask('GET', `${await drover.url()}/rep`)

  assert.equal(rep.body, listing(['Server 1', 'Server 2']))
  assert.equal(add.body, listing(['Server 1', 'Server 2', 'S3']))
  assert.equal(onTheDoor.status, 404, 'without --manage the path is a replica’s own')
})

test('below another path the management API leaves the root to the replicas', async (context) => {
  const words = [
    'balance',
    ...anyPort,
    '-n',
    '1',
    '--manage',
    '/lb',
    '--',
    process.execPath,
    homeServer,
  ]
  const drover = await startDrover(context, words)
  const url = await drover.url()

  assert.equal((await ask('GET', `${url}/lb/rep`)).body, listing(['Server 1']))
  assert.equal((await ask('GET', `${url}/rep`)).status, 400)
})
