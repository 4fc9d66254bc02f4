import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ask } from './harness/classroom.ts'
import {
  anyPort,
  type Replica,
  type RunningDrover,
  readyReplicas,
  runDrover,
  startDrover,
  temporaryFolder,
} from './harness/drover.ts'
import { startLoad } from './harness/load.ts'
import { homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

const json = 'application/json'

function startThree(context: TestContext, ...options: string[]): Promise<RunningDrover> {
  const words = ['balance', ...anyPort, '-n', '3', '--health', '/heartbeat', ...options]
  return startDrover(context, [...words, '--', process.execPath, homeServer])
}

/** Runs `drover fault` beside the instance; it must work. */
async function setFault(drover: RunningDrover, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runDrover(['fault', 'web', ...words], {
    cwd: drover.folder,
  })
  assert.equal(code, 0, stderr)
  return stdout
}

async function named(drover: RunningDrover, name: string): Promise<Replica> {
  const replica = (await readyReplicas(drover)).find((one) => one.name === name)
  assert.ok(replica, `${name} is ready`)
  return replica
}

async function kinds(drover: RunningDrover): Promise<string[]> {
  const events = await (await fetch(`${drover.admin}/v1/events?follow=false`)).json()
  return (events as { kind: string }[]).map(({ kind }) => kind)
}

for (const policy of ['least-connections', 'peak-ewma'])
  test(`a slow replica gets fewer requests under ${policy}, until that ends`, async (context) => {
    const drover = await startThree(context, '--policy', policy)
    const said = await setFault(drover, '2', '--delay', '200ms')
    const load = startLoad(`${await drover.url()}/home`, 8)
    const totals = async () =>
      Object.fromEntries(
        (await readyReplicas(drover)).map(({ name, requestsTotal }) => [name, requestsTotal]),
      )

    const slow = await until('many requests', async () => load.answered > 1_500 && totals())
    await setFault(drover, '2', '--end')
    const getsMany = async () => ((await totals())['Server 2'] ?? 0) > (slow['Server 2'] ?? 0) + 300
    await until('it gets many, too', getsMany, 60_000)
    const { failures } = await load.stop()

    assert.match(said, /^web: 2 answers 200 ms late, on purpose$/m)
    const [first = 0, second = 0, third = 0] = [1, 2, 3].map((id) => slow[`Server ${id}`])
    assert.ok(second * 2 < first && second * 2 < third, JSON.stringify(slow))
    assert.deepEqual(failures, {})
    assert.deepEqual(
      (await kinds(drover)).filter((kind) => kind.startsWith('drover.fault')),
      ['drover.fault.set', 'drover.fault.ended'],
    )
  })

test('a share of 500s comes through the door as it is, and the share is kept', async (context) => {
  const drover = await startThree(context)
  await setFault(drover, 'Server 2', '--fail', '0.5')
  const load = startLoad(`${await drover.url()}/home`, 4)
  await until('many requests', () => load.answered >= 1_200)
  const { total, failures } = await load.stop()

  assert.deepEqual(Object.keys(failures), ['500 '])
  const share = (failures['500 '] ?? 0) / total
  assert.ok(share > 0.08 && share < 0.26, `${share} is about a sixth`)
})

test('a replica whose heartbeat fails on purpose is replaced', async (context) => {
  const drover = await startThree(context, '--health-interval', '100ms')

  await setFault(drover, '1', '--fail', '1', '--heartbeat')

  await until('another is in its place', async () => {
    const ready = await readyReplicas(drover)
    return ready.length === 3 && !ready.some(({ name }) => name === 'Server 1')
  })
})

test('at fixed addresses a failing replica is ejected, and taken back when that ends', async (context) => {
  // Who started them looks seldom: it would replace the failing one.
  const servers = await startThree(context, '--health-interval', '1h')
  const addresses = (await readyReplicas(servers)).map(({ address }) => address)
  const [sick = ''] = addresses
  const folder = await temporaryFolder()
  const health = { path: '/heartbeat', interval: '100ms' }
  const config = {
    services: { web: { addresses, health } },
    listeners: [{ address: '127.0.0.1:0', service: 'web' }],
    admin: { address: '127.0.0.1:0' },
  }
  await writeFile(join(folder, 'drover.yaml'), JSON.stringify(config))
  const drover = await startDrover(context, ['up'], { folder })
  const state = async () =>
    (await drover.status()).services[0]?.replicas.find(({ address }) => address === sick)?.state

  await setFault(drover, sick, '--fail', '1', '--heartbeat')
  await until('it is ejected', async () => (await state()) === 'ejected')
  const load = startLoad(`${await drover.url()}/home`, 4)
  await until('requests flow', () => load.answered > 300)
  const { failures, bodies } = await load.stop()
  await setFault(drover, sick, '--end')

  await until('it is ready again', async () => (await state()) === 'ready')
  assert.deepEqual(failures, {})
  assert.equal(Object.keys(bodies).length, 2, 'the other two')
})

test('a replica that answers with 500 is ejected if answers may count as failures', async (context) => {
  const words = ['--failure-status', '500', '--health-interval', '1h']
  const drover = await startThree(context, ...words)
  const sick = async () => {
    const { services } = await drover.status()
    return services[0]?.replicas.find(({ name }) => name === 'Server 1')
  }
  const load = startLoad(`${await drover.url()}/home`, 4)

  await setFault(drover, '1', '--fail', '1')
  const ejected = await until('it is ejected', async () => {
    const replica = await sick()
    return replica?.state === 'ejected' && replica
  })
  const { answered } = load
  await until('the others answer', () => load.answered > answered + 200)
  const { failures } = await load.stop()

  assert.match(ejected.reason, /^5 requests failed in a row: it answered 500; out for \d+ ms/)
  const failed = failures['500 '] ?? 0
  assert.ok(failed >= 5 && failed < 100, `${failed} failed before it was out`)
})

test('nobody sets a fault through the door, nor from a page of another site', async (context) => {
  const drover = await startThree(context)
  const url = await drover.url()
  const { address } = await named(drover, 'Server 1')
  const wish = '{"failShare":1}'

  const through = await ask('POST', `${url}/fault`, wish, json)
  const told = await ask('GET', `${url}/fault`)
  const page = await fetch(`http://${address}/fault`, {
    method: 'POST',
    headers: { origin: 'https://evil.example' },
    body: wish,
  })
  const directly = await ask('GET', `http://${address}/fault`)

  assert.deepEqual([through.status, told.status, page.status], [403, 403, 403])
  assert.equal(directly.body, '{"delayMs":0,"failShare":0,"heartbeat":false}')
})

test('a wrong fault is named and changes nothing', async (context) => {
  const drover = await startThree(context)
  const { address } = await named(drover, 'Server 1')
  const api = `${drover.admin}/v1/services/web/replicas/1/fault`
  const replica = `http://${address}/fault`
  const wrong: [body: string, names: RegExp][] = [
    ['{"delayMs":60001}', /delayMs.*60000/],
    ['{"delayMs":-1}', /delayMs/],
    ['{"failShare":1.1}', /failShare/],
    ['{"heartbeat":"perhaps"}', /heartbeat/],
    ['{"delay":5}', /delay|additional properties/],
    ['[]', /object/],
    ['null', /./],
    ['{', /./],
  ]

  for (const [body, names] of wrong)
    for (const url of [api, replica]) {
      const answer = await ask('POST', url, body, json)
      assert.equal(answer.status, 400, `${url} ${body}: ${answer.body}`)
      assert.match(answer.body, names)
    }
  const words: [words: string[], says: RegExp][] = [
    [['1'], /say --delay, --fail or both, or --end/],
    [['1', '--end', '--fail', '1'], /--end excludes/],
    [['1', '--delay', '2m'], /--delay: expected a duration from 0ms to 60s, not "2m"/],
    [['1', '--fail', '1.5'], /--fail: expected a number from 0 to 1, not "1.5"/],
  ]
  for (const [given, says] of words) {
    const ran = await runDrover(['fault', 'web', ...given], { cwd: drover.folder })
    assert.equal(ran.code, 2)
    assert.match(ran.stderr, says)
  }
  const nobody = await runDrover(['fault', 'web', '9', '--end'], { cwd: drover.folder })
  assert.match(nobody.stderr, /web has no replica "9"/)

  const { body } = await ask('GET', replica)
  assert.equal(body, '{"delayMs":0,"failShare":0,"heartbeat":false}')
})

test('a server that takes no faults is told apart, even if it says 200 to everything', async (context) => {
  const script = `
    require('http').createServer((q, s) => {
      s.writeHead(q.url === '/fault' && process.env.SERVER_ID === '1' ? 404 : 200).end('fine')
    }).listen(process.env.PORT, process.env.HOST)`
  const words = ['balance', ...anyPort, '-n', '2', '--', process.execPath, '-e', script]
  const drover = await startDrover(context, words)

  for (const [name, status] of [
    ['1', 404],
    ['2', 200],
  ] as const) {
    const ran = await runDrover(['fault', 'web', name, '--fail', '1'], { cwd: drover.folder })
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, new RegExp(`^.*Server ${name} takes no faults.* with ${status}`))
  }
  assert.ok(!(await kinds(drover)).includes('drover.fault.set'))
})
