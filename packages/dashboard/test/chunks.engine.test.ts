import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type RunningDrover, startDrover, until } from './harness/drover.ts'
import { chunksConfig, freePorts } from './harness/everything.ts'
import { openPage, rowOf } from './harness/page.ts'

async function start(t: TestContext) {
  const [port = 0] = await freePorts(1)
  const listeners = [{ address: `127.0.0.1:${port}`, service: 'chunks' }]
  const drover = await startDrover(t, { services: chunksConfig(), listeners })
  await until('the service', () => requests(drover).catch(() => undefined))
  return { drover, own: `http://127.0.0.1:${port}` }
}

const requests = (drover: RunningDrover) =>
  drover.get<{ name: string; state: string }[]>('/parts/chunks/requests')

function upload(drover: RunningDrover, name: string, bytes: number, by = 'lines 100') {
  const path = `/parts/chunks/chunks?by=${encodeURIComponent(by)}&as=zip&name=${name}`
  return fetch(drover.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.alloc(bytes, 'ant bee cat\n'),
  })
}

test('requests are shown as they go on, and removed', async (t) => {
  const { drover, own } = await start(t)
  const page = await openPage(t, drover, { place: '/chunks' })
  await page.getByText('Nobody asked for anything yet.').waitFor()

  await upload(drover, 'book.txt', 60_000)
  await rowOf(page, 'book.txt').getByText('done').waitFor()
  await page.getByRole('progressbar', { name: 'Progress of book.txt' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Cut a file' }).getAttribute('href'), own)
  const result = page.getByRole('link', { name: 'Result of book.txt' })
  const zip = await fetch((await result.getAttribute('href')) ?? '')
  assert.match(Buffer.from(await zip.arrayBuffer()).toString('latin1'), /^PK/)
  await page.getByRole('button', { name: 'Remove book.txt' }).click()

  await until('removed', async () => (await requests(drover)).length === 0)
  await page.getByText('Nobody asked for anything yet.').waitFor()
})

test('a request under way is cancelled', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/chunks' })

  await upload(drover, 'first.txt', 80_000_000, 'letters a-c')
  await upload(drover, 'second.txt', 40_000_000, 'letters a-c')
  await page.getByRole('button', { name: 'Cancel second.txt' }).click()

  await until('cancelled', async () =>
    (await requests(drover)).some(
      ({ name, state }) => name === 'second.txt' && state === 'cancelled',
    ),
  )
  await rowOf(page, 'second.txt').getByText('cancelled').waitFor()
})

test('the disk acts as if it were full until that is ended', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/chunks' })

  await page.getByRole('button', { name: 'Act as if the disk were full' }).click()
  await page.getByText('uploads are refused').waitFor()
  const refused = await upload(drover, 'a.txt', 100)
  await page.getByRole('button', { name: 'End the full disk' }).click()
  await page.getByText('uploads are refused').waitFor({ state: 'detached' })
  const taken = await upload(drover, 'b.txt', 100)

  assert.equal(refused.status, 507)
  assert.equal(taken.status, 202)
})
