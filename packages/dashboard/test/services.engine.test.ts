import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type RunningDrover, startDrover, until } from './harness/drover.ts'
import { freePorts, webConfig } from './harness/everything.ts'
import { openPage, rowOf } from './harness/page.ts'

interface Replica {
  readonly name: string
  readonly state: string
  readonly pid: number
  readonly weight: number
}

interface Service {
  readonly policy: string
  readonly wanted: number
  readonly available: number
  readonly replicas: readonly Replica[]
}

const readWeb = (drover: RunningDrover) => drover.get<Service>('/v1/services/web')

async function replica(drover: RunningDrover, name: string): Promise<Replica | undefined> {
  return (await readWeb(drover)).replicas.find((one) => one.name === name)
}

async function start(t: TestContext, change: object = {}) {
  const [port = 0] = await freePorts(1)
  const { services, listeners } = webConfig(port)
  const web = { ...services.web, ...change }
  const drover = await startDrover(t, { services: { web }, listeners })
  await until('three replicas', async () => (await readWeb(drover)).available === 3)
  return { drover, door: `http://127.0.0.1:${port}` }
}

test('plus and minus scale the service that runs', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })

  await page.getByRole('button', { name: 'One replica more: 4' }).click()
  await until('four replicas', async () => (await readWeb(drover)).available === 4)
  await page.getByText('4 of 4 get requests').waitFor()
  await page.getByRole('button', { name: 'One replica less: 3' }).click()

  await until('three replicas', async () => (await readWeb(drover)).replicas.length === 3)
  await page.getByText('3 of 3 get requests').waitFor()
})

test('a killed replica dies, and the page shows its successor', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })
  const before = (await readWeb(drover)).replicas.map(({ pid }) => pid)

  await page.getByRole('button', { name: 'Kill Server 2 as a crash would' }).click()

  await page
    .getByText(/Server 2 died/)
    .first()
    .waitFor()
  await until('a successor', async () => {
    const { replicas, available } = await readWeb(drover)
    return available === 3 && !replicas.some(({ name }) => name === 'Server 2')
  })
  const { replicas } = await readWeb(drover)
  const successor = replicas.find(({ pid }) => !before.includes(pid))
  await rowOf(page, String(successor?.pid))
    .getByText(successor?.name ?? '')
    .waitFor()
  await page.getByText('3 of 3 get requests').waitFor()
})

test('a drained replica gets nothing new until that is taken back', async (t) => {
  const { drover, door } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })

  await page.getByRole('button', { name: 'Drain Server 1: nothing new for it' }).click()
  await until('draining', async () => (await replica(drover, 'Server 1'))?.state === 'draining')
  const answers = await Promise.all(
    Array.from({ length: 12 }, async () => (await fetch(`${door}/home`)).text()),
  )
  await page.getByRole('button', { name: 'Give Server 1 requests again' }).click()

  assert.ok(answers.every((answer) => !answer.includes('Server: 1')))
  await until('ready again', async () => (await replica(drover, 'Server 1'))?.state === 'ready')
  await page.getByRole('button', { name: 'Drain Server 1: nothing new for it' }).waitFor()
})

test('a weight is set as typed, and one that cannot be is not sent', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })

  await page.getByRole('button', { name: 'Weight of Server 3' }).click()
  const field = page.getByRole('dialog').getByLabel('Weight')
  await field.fill('0')
  await page.getByRole('button', { name: 'Set' }).click()
  assert.equal(await page.getByRole('dialog').count(), 1)
  await field.fill('4')
  await page.getByText('a share of 67 %').waitFor()
  await page.getByRole('button', { name: 'Set' }).click()

  await until('the weight', async () => (await replica(drover, 'Server 3'))?.weight === 4)
  assert.equal((await replica(drover, 'Server 1'))?.weight, 1)
})

test('a fault is seen at the door until it is ended, and its refusal is told in the dialog', async (t) => {
  const { drover, door } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })
  const statuses = () =>
    Promise.all(Array.from({ length: 12 }, async () => (await fetch(`${door}/home`)).status))
  const open = () =>
    page.getByRole('button', { name: 'Fault of Server 2: slow or failing' }).click()

  await open()
  await page.getByRole('dialog').getByLabel('Failing').fill('100')
  await page.getByRole('button', { name: 'Set' }).click()
  await page.getByText('Server 2 answers 100 % with 500, on purpose').first().waitFor()
  const failing = await statuses()
  await open()
  await page.getByRole('button', { name: 'End the fault' }).click()
  await page.getByText('Server 2 answers as it should again').first().waitFor()
  const ended = await statuses()

  assert.deepEqual(new Set(failing), new Set([200, 500]))
  assert.deepEqual(new Set(ended), new Set([200]))
  await page.route('**/replicas/Server%202/fault', (route) =>
    route.continue({ url: route.request().url().replace('Server%202', 'Server%209') }),
  )
  await open()
  await page.getByRole('button', { name: 'End the fault' }).click()
  await page.getByRole('alert').getByText('web has no replica "Server 9"').waitFor()
})

test('another policy with its key and options is used, and its ring is drawn', async (t) => {
  const { drover, door } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })

  await page.getByRole('button', { name: 'Policy' }).click()
  await page.getByLabel('Policy').selectOption('ring')
  await page.getByLabel('Key').fill('query:user')
  await page.getByLabel('virtualNodes').fill('50')
  await page.getByRole('button', { name: 'Use' }).click()

  await until('the policy', async () => (await readWeb(drover)).policy === 'ring')
  const ring = await drover.get<{ key: string; options: object; replicas: { share: number }[] }>(
    '/v1/services/web/ring',
  )
  assert.deepEqual([ring.key, ring.options], ['query:user', { virtualNodes: 50, epsilon: 0.25 }])
  const ask = async () => (await fetch(`${door}/home?user=ann`)).text()
  const answers = new Set([await ask(), await ask(), await ask(), await ask()])
  assert.equal(answers.size, 1)
  const shares = ring.replicas.map(({ share }) => `${Math.round(share * 100)} %`)
  await page.getByRole('heading', { name: 'Ring' }).waitFor()
  for (const share of shares) await page.getByText(share, { exact: true }).first().waitFor()
})

test('what moves when a replica leaves is what moves when it really does', async (t) => {
  const { drover } = await start(t, { policy: 'rendezvous', key: 'query:user' })
  const page = await openPage(t, drover, { place: '/services/web' })
  type Shares = {
    replicas: { name: string; share: number; heirs: { name: string; share: number }[] }[]
  }
  const { replicas } = await drover.get<Shares>('/v1/services/web/ring')
  const leaver = replicas.find(({ name }) => name === 'Server 3')

  await page.getByRole('button', { name: 'If it left' }).nth(2).click()
  await page.getByText(/If Server 3 left, its .* would go to 2 others/).waitFor()
  await drover.post('/v1/services/web/scale', { replicas: 2 })
  await until('two replicas', async () => (await readWeb(drover)).replicas.length === 2)

  const after = await drover.get<Shares>('/v1/services/web/ring')
  for (const { name, share } of after.replicas) {
    const before = replicas.find((one) => one.name === name)?.share ?? 0
    const inherited = leaver?.heirs.find((heir) => heir.name === name)?.share ?? 0
    assert.ok(Math.abs(share - before - inherited) < 1e-9, `${name}: ${share}`)
  }
})

test('a restart replaces every replica', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })
  const before = (await readWeb(drover)).replicas.map(({ pid }) => pid)

  await page.getByRole('button', { name: 'Restart' }).click()

  await page.getByText('web: every replica is new').waitFor()
  const after = await readWeb(drover)
  assert.equal(after.available, 3)
  assert.ok(after.replicas.every(({ pid }) => !before.includes(pid)))
})

test('requests, latencies and errors are told as they come', async (t) => {
  const { drover, door } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })
  const timer = setInterval(() => {
    fetch(`${door}/home`).catch(() => {
      // The end of the test closes the door.
    })
  }, 20)
  t.after(() => clearInterval(timer))

  await page.getByRole('img', { name: /^Requests per second, now: all [1-9]\d/ }).waitFor()

  await page.getByRole('img', { name: /^Latency, now: p50 [\d.]+ (µs|ms)/ }).waitFor()
  await page.getByRole('img', { name: /^Errors per second, now: 5xx or no answer 0/ }).waitFor()
})

test('a refused call says on the page why', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })
  await page.getByRole('button', { name: 'Policy' }).click()
  await page.getByLabel('Policy').selectOption('ring')

  await page.route('**/v1/services/web/policy', (route) =>
    route.continue({ postData: JSON.stringify({ name: 'rings' }) }),
  )
  await page.getByRole('button', { name: 'Use' }).click()

  await page.getByRole('alert').getByText('did you mean "ring"?').waitFor()
  assert.equal((await readWeb(drover)).policy, 'round-robin')
})

test('the history of one replica, and what it wrote', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })

  await page.getByLabel('History of').selectOption('Server 2')
  await page.getByText(/Server 2 is ready/).waitFor()
  assert.equal(await page.getByText(/Server 3 is ready/).count(), 0)
  await page.getByRole('button', { name: 'Show' }).click()
  await page.getByText(/server 1 listens on/).waitFor()
  await page.getByLabel('Output of').selectOption('Server 3')

  await page.getByText(/server 3 listens on/).waitFor()
  await page.getByText(/server 1 listens on/).waitFor({ state: 'detached' })
})

test('the configuration file is read again, and a bad one is told and changes nothing', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })
  const file = join(drover.folder, 'drover.yaml')
  const text = readFileSync(file, 'utf8')
  const reload = page.getByRole('button', { name: 'Read the configuration file again' })

  writeFileSync(file, text.replace('"replicas":3', '"replicas":2'))
  await reload.click()
  await until('two replicas', async () => (await readWeb(drover)).replicas.length === 2)
  writeFileSync(file, text.replace('"replicas":3', '"replicas":"many"'))
  await reload.click()

  await page.getByText(/The configuration stays as it was: .*replicas/).waitFor()
  assert.equal((await readWeb(drover)).wanted, 2)
})
