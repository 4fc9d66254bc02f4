import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type RunningDrover, startDrover, until } from './harness/drover.ts'
import { freePorts, queueConfig } from './harness/everything.ts'
import { openPage, rowOf } from './harness/page.ts'

const base = '/parts/queue/v1'

async function start(t: TestContext) {
  const [port = 0] = await freePorts(1)
  const drover = await startDrover(t, { services: queueConfig(port) })
  await until('the queue', () => drover.get(`${base}/topics`).catch(() => false))
  return drover
}

const makeTopic = (drover: RunningDrover, name: string, options: object) =>
  drover.post(`${base}/topics`, { name, options })

const counts = (drover: RunningDrover, topic: string) =>
  drover.get<{ ready: number }>(`${base}/topics/${topic}/counts`)

async function peek(drover: RunningDrover, topic: string) {
  const path = `${base}/topics/${topic}/peek?count=100`
  return (await drover.get<{ messages: { value: string; key?: string }[] }>(path)).messages
}

test('a topic is made, a message published to it and looked at', async (t) => {
  const drover = await start(t)
  const page = await openPage(t, drover, { place: '/queue' })

  await page.getByRole('button', { name: 'New topic' }).click()
  await page.getByLabel('Name').fill('orders')
  await page.getByLabel('Partitions').fill('3')
  await page.getByRole('button', { name: 'Make' }).click()
  await page.getByRole('link', { name: 'orders' }).click()
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByLabel('Message').fill('two boxes')
  await page.getByLabel('Key').fill('ann')
  await page.getByLabel('Copies').fill('4')
  await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).click()

  await until('four messages', async () => (await counts(drover, 'orders')).ready === 4)
  assert.deepEqual(
    (await peek(drover, 'orders')).map(({ value, key }) => `${key}: ${value}`),
    [...Array(4).fill('ann: two boxes')],
  )
  const { topics } = await drover.get<{ topics: { partitions: number }[] }>(`${base}/topics`)
  assert.deepEqual(
    topics.map(({ partitions }) => partitions),
    [3],
  )
  await rowOf(page, 'orders').getByRole('cell', { name: '4', exact: true }).first().waitFor()
  await page.getByRole('button', { name: 'Peek' }).click()
  await page.getByText('The next 4 messages').waitFor()
  assert.equal(await page.locator('pre', { hasText: 'two boxes' }).count(), 4)
})

test('dead letters go back to where they died', async (t) => {
  const drover = await start(t)
  await makeTopic(drover, 'mails', { partitions: 2, attemptsMax: 1 })
  await drover.post(`${base}/topics/mails/messages`, { messages: [{ value: 'one', key: 'k' }] })
  const { leases } = await drover.post<{ leases: { token: string }[] }>(
    `${base}/topics/mails/leases`,
    { count: 1, waitMs: 5_000 },
  )
  const tokens = leases.map(({ token }) => token)
  await drover.post(`${base}/leases/nack`, { tokens, dead: true, reason: 'no such street' })
  await until(
    'a dead letter',
    async () => (await counts(drover, 'mails.dead').catch(() => undefined))?.ready === 1,
  )
  const page = await openPage(t, drover, { place: '/queue/queue/mails.dead' })

  await page.getByRole('button', { name: 'Peek' }).click()
  await page.getByText('drover-reason: no such street').waitFor()
  await page.getByRole('button', { name: 'Replay to mails' }).click()

  await page.getByText('1 dead letter went back to mails').waitFor()
  await until('it is back', async () => (await counts(drover, 'mails')).ready === 1)
  assert.deepEqual(await peek(drover, 'mails.dead'), [])
  const [back] = await peek(drover, 'mails')
  assert.deepEqual([back?.value, back?.key], ['one', 'k'])
})

test('purging and deleting ask first', async (t) => {
  const drover = await start(t)
  await makeTopic(drover, 'logs', { partitions: 1 })
  await drover.post(`${base}/topics/logs/messages`, { messages: [{ value: 'a' }, { value: 'b' }] })
  const page = await openPage(t, drover, { place: '/queue/queue/logs' })

  await page.getByRole('button', { name: 'Purge' }).click()
  await page.getByRole('button', { name: 'Not now' }).click()
  assert.equal((await counts(drover, 'logs')).ready, 2)
  await page.getByRole('button', { name: 'Purge' }).click()
  await page.getByRole('button', { name: 'Remove every message' }).click()
  await until('empty', async () => (await counts(drover, 'logs')).ready === 0)
  await page.getByRole('button', { name: 'Delete logs' }).click()
  await page.getByRole('button', { name: 'Delete the topic' }).click()

  await until('gone', async () => {
    const { topics } = await drover.get<{ topics: unknown[] }>(`${base}/topics`)
    return topics.length === 0
  })
  await page.getByText('There is no topic yet.').waitFor()
})

test('a broker comes, gets its partitions, and leaves them to the others', async (t) => {
  const drover = await start(t)
  await makeTopic(drover, 'wide', { partitions: 32 })
  await drover.post(`${base}/topics/wide/messages`, { messages: [{ value: 'kept' }] })
  const page = await openPage(t, drover, { place: '/queue' })
  type View = { brokers: { name: string; partitions: number }[]; placement: { wide: string[] } }
  const brokers = () => drover.get<View>(`${base}/brokers`)

  await page.getByRole('button', { name: 'Add broker' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click()
  await page.getByText('The broker has its partitions').waitFor()
  const { placement } = await brokers()
  const own = placement.wide.filter((name) => name === 'broker2').length
  assert.ok(own > 0)
  await page.getByText(new RegExp(`${own} at broker2`)).waitFor()
  await page.getByRole('button', { name: 'Remove broker2' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()

  await until('two brokers', async () => (await brokers()).brokers.length === 2)
  assert.ok(!(await brokers()).placement.wide.includes('broker2'))
  assert.equal((await peek(drover, 'wide'))[0]?.value, 'kept')
})

test('of two queues one is chosen', async (t) => {
  const [one = 0, other = 0] = await freePorts(2)
  const drover = await startDrover(t, {
    services: { ...queueConfig(one), ...queueConfig(other, 'mailroom') },
    listeners: [{ address: '127.0.0.1:0', service: 'queue' }],
  })
  const topics = (name: string) => drover.get<{ topics: unknown[] }>(`/parts/${name}/v1/topics`)
  await until('both', () => Promise.all([topics('queue'), topics('mailroom')]).catch(() => false))
  await makeTopic(drover, 'orders', { partitions: 1 })
  await drover.post('/parts/mailroom/v1/topics', { name: 'letters', options: { partitions: 1 } })
  const page = await openPage(t, drover, { place: '/queue' })

  await page.getByRole('link', { name: 'orders' }).waitFor()
  await page.getByLabel('Which queue').selectOption('mailroom')

  await page.getByRole('link', { name: 'letters' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'orders' }).count(), 0)
})
