import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDrover, until } from './harness/drover.ts'
import { webConfig } from './harness/everything.ts'
import { openPage } from './harness/page.ts'

interface Experiment {
  readonly name: string
  readonly title: string
  readonly state: string
  readonly report: { readonly url: string } | null
}

test('an experiment is run, cancelled, run to its end, and its report opened', async (t) => {
  const drover = await startDrover(t, webConfig())
  const page = await openPage(t, drover, { place: '/experiments' })
  const find = async () =>
    (await drover.get<Experiment[]>('/v1/experiments')).find(({ name }) => name === 'a1')
  const title = (await find())?.title ?? ''

  await page.getByRole('button', { name: `Run ${title}` }).click()
  await until('it runs', async () => (await find())?.state === 'running')
  await page.getByRole('button', { name: `Cancel ${title}` }).click()
  await until('cancelled', async () => (await find())?.state === 'cancelled')
  await page.getByText('cancelled').first().waitFor()
  await page.getByRole('button', { name: `Run ${title}` }).click()
  await until('done', async () => (await find())?.state === 'done', 120_000)

  const opened = page.waitForEvent('popup')
  await page.getByRole('link', { name: /^Report/ }).click()
  const report = await opened
  await report.waitForLoadState()
  assert.match(await report.content(), /<svg/)
})

test('who needs a token gets the report as a file', async (t) => {
  const token = 'nobody-guesses-this-token'
  const drover = await startDrover(t, webConfig(), token)
  const page = await openPage(t, drover, { place: '/experiments', token })
  const find = async () =>
    (await drover.get<Experiment[]>('/v1/experiments')).find(({ name }) => name === 'a1')

  await page.getByRole('button', { name: `Run ${(await find())?.title}` }).click()
  await until('done', async () => (await find())?.state === 'done', 120_000)
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: /^Report/ }).click()

  assert.equal((await saved).suggestedFilename(), 'a1.html')
})
