import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { checkContract, names } from './harness/classroom.ts'
import { type DockerEngine, startDockerEngine } from './harness/docker-engine.ts'
import { startDrover } from './harness/drover.ts'
import { copyExample } from './harness/examples.ts'
import { startLoad } from './harness/load.ts'
import { until } from './harness/until.ts'

const file = 'drover.docker.yaml'
let engine: DockerEngine

before(async () => {
  engine = await startDockerEngine()
})
after(() => engine.stop())

test('the contract of the customizable load balancer, with containers', async (context) => {
  const folder = await copyExample('customizable-load-balancer', [file])
  const drover = await startDrover(context, ['up', '-c', file], { folder, env: engine.env })

  const running = await engine.docker('ps', '--format', '{{.Names}}')
  assert.deepEqual(running.split('\n').sort(), ['Server_1', 'Server_2', 'Server_3'])
  await checkContract(context, await drover.url())
})

test('whoever shells out to docker finds replicas by name, stops and kills them, and N holds', async (context) => {
  const folder = await copyExample('customizable-load-balancer', [file])
  const drover = await startDrover(context, ['up', '-c', file], { folder, env: engine.env })
  const url = await drover.url()
  const load = startLoad(`${url}/home`, 4)

  await engine.docker('kill', 'Server_2')
  await until('another is in place of Server 2', async () => {
    const list = await names(url)
    return list.length === 3 && !list.includes('Server 2')
  })
  await engine.docker('stop', 'Server_3')
  const list = await until('another is in place of Server 3', async () => {
    const now = await names(url)
    return now.length === 3 && !now.includes('Server 3') && now
  })
  await until('all get requests', async () => (await drover.status()).services[0]?.available === 3)
  const { failures, total } = await load.stop()

  assert.deepEqual(failures, {}, `of ${total}`)
  const running = await engine.docker('ps', '--format', '{{.Names}}')
  assert.deepEqual(running.split('\n').sort(), list.map((name) => name.replaceAll(' ', '_')).sort())
})

test('nothing is left of it, also after SIGKILL', async (context) => {
  const folder = await copyExample('customizable-load-balancer', [file])
  const drover = await startDrover(context, ['up', '-c', file], { folder, env: engine.env })

  drover.child.kill('SIGKILL')
  await drover.ended

  await until(
    'no container runs',
    async () => (await engine.docker('ps', '--quiet', '--all')) === '',
    60_000,
  )
})
