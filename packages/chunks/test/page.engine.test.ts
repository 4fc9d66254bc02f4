import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { chromium, type Page } from 'playwright-core'
import { makeFolder } from './local.ts'
import { startTestBackend, startTestService, until } from './service/service.ts'
import { makeText } from './texts.ts'

async function openPage(t: TestContext, url: string): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.goto(url)
  return page
}

test('without a mouse: choose, chunk, progress, and the result downloads by itself', async (t) => {
  const folder = makeFolder(t)
  const service = await startTestService(t, folder, (await startTestBackend(t)).url)
  const file = join(folder, 'book.txt')
  writeFileSync(file, 'An ant and a bee chase a dog.')
  const page = await openPage(t, service.url)
  const download = page.waitForEvent('download')

  await page.getByLabel('File', { exact: true }).setInputFiles(file)
  await page.getByLabel('File', { exact: true }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.type('c-a')
  await page.keyboard.press('Tab')
  await page.keyboard.type('text')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')

  const result = await download
  assert.equal(result.suggestedFilename(), 'book.txt.chunk.txt')
  assert.equal(readFileSync(await result.path(), 'utf8'), 'An ant and a bee chase a')
  await page.getByText('Done: 1 chunk of book.txt.').waitFor()
  assert.equal(
    await page.getByLabel('Working').evaluate((bar) => (bar as never as { value: number }).value),
    1,
  )
})

test('a chunk that cannot be is refused, and the page says what is allowed', async (t) => {
  const folder = makeFolder(t)
  const service = await startTestService(t, folder, (await startTestBackend(t)).url)
  const file = join(folder, 'book.txt')
  writeFileSync(file, 'text')
  const page = await openPage(t, service.url)

  await page.getByLabel('File', { exact: true }).setInputFiles(file)
  await page.getByLabel('Chunk', { exact: true }).fill('1-5')
  await page.getByLabel('Chunk', { exact: true }).press('Enter')

  await page.getByRole('status').getByText('allowed are a range a-c').waitFor()
})

test('a refresh finds the request again, all see the queue, and it can be cancelled by keyboard', async (t) => {
  const folder = makeFolder(t)
  // Nobody listens on port 1: the request stays where it is.
  const service = await startTestService(t, folder, 'http://127.0.0.1:1')
  const file = join(folder, 'book.txt')
  writeFileSync(file, makeText(50_000))
  const page = await openPage(t, service.url)
  await page.getByLabel('File', { exact: true }).setInputFiles(file)
  await page.getByLabel('Chunk', { exact: true }).press('Enter')
  await page.getByRole('status').getByText('Working').waitFor()

  await page.reload()
  await page.getByRole('status').getByText('Working').waitFor()
  const other = await openPage(t, service.url)
  await other.getByRole('button', { name: 'Cancel book.txt' }).press('Enter')

  await page.getByText('It was cancelled.').waitFor()
  await until('cancelled', () => service.front.board.list()[0]?.state === 'cancelled')
})
