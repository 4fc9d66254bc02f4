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
  page.setDefaultTimeout(120_000)
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

test('every way can be chosen, says what it wants, and gives its result', async (t) => {
  const folder = makeFolder(t)
  const service = await startTestService(t, folder, (await startTestBackend(t)).url)
  const file = join(folder, 'book.txt')
  writeFileSync(file, makeText(20_000))
  const page = await openPage(t, service.url)
  const ways = await page.getByLabel('By', { exact: true }).locator('option').allTextContents()
  assert.equal(ways.length, 11)

  for (const way of ways) {
    await page.getByLabel('By', { exact: true }).selectOption(way)
    assert.ok(((await page.locator('#hint').textContent()) ?? '').length > 20, way)
    await page.getByLabel('File', { exact: true }).setInputFiles(file)
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Chunk it' }).press('Enter')
    assert.equal((await download).suggestedFilename(), 'book.txt.zip', way)
    await page.getByRole('button', { name: 'Chunk it', disabled: false }).waitFor()
  }
})

test('both bars move: while a large file is sent, and while it is worked on', async (t) => {
  const folder = makeFolder(t)
  const service = await startTestService(t, folder, (await startTestBackend(t)).url)
  const file = join(folder, 'large.txt')
  writeFileSync(file, Buffer.alloc(80_000_000, 'many words and more of them. '))
  const page = await openPage(t, service.url)
  // What the bars show is noted as it changes: no look from here would be quick enough.
  await page.evaluate(() => {
    const seen: Record<string, number[]> = { sending: [], working: [] }
    Object.assign(globalThis, { seen })
    const look = () => {
      for (const id of ['sending', 'working']) {
        const { value } = (
          globalThis as never as { document: { getElementById(id: string): { value: number } } }
        ).document.getElementById(id)
        if (seen[id]?.at(-1) !== value) seen[id]?.push(value)
      }
      setTimeout(look, 5)
    }
    look()
  })
  const download = page.waitForEvent('download')

  await page.getByLabel('File', { exact: true }).setInputFiles(file)
  await page.getByLabel('By', { exact: true }).selectOption('sentences')
  await page.getByLabel('Chunk', { exact: true }).press('Enter')
  await download

  const seen = await page.evaluate(
    () => (globalThis as never as { seen: Record<string, number[]> }).seen,
  )
  for (const id of ['sending', 'working']) {
    const between = (seen[id] ?? []).filter((value) => value > 0 && value < 1)
    assert.ok(between.length > 0, `${id}: ${seen[id]?.join(' ')}`)
  }
})

test('it fits a narrow screen and a dark one', async (t) => {
  const service = await startTestService(t, makeFolder(t), (await startTestBackend(t)).url)
  const page = await openPage(t, service.url)
  const colours: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    colours.push(
      await page.evaluate(() => {
        const { document, getComputedStyle } = globalThis as never as {
          document: { body: object }
          getComputedStyle(of: object): { backgroundColor: string }
        }
        return getComputedStyle(document.body).backgroundColor
      }),
    )
  }

  await page.setViewportSize({ width: 320, height: 700 })

  assert.notEqual(colours[0], colours[1])
  const width = await page.evaluate(
    () =>
      (globalThis as never as { document: { documentElement: { scrollWidth: number } } }).document
        .documentElement.scrollWidth,
  )
  assert.ok(width <= 320, `${width} pixels wide`)
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
