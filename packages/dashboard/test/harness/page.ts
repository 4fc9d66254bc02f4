import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { chromium, type Page } from 'playwright-core'
import type { RunningDrover } from './drover.ts'

/** How a page is opened. */
export interface PageOptions {
  /** What stands behind `#`: `/services/web`. */
  readonly place?: string
  readonly width?: number
  readonly height?: number
  readonly colors?: 'light' | 'dark'
  /** Typed into the login, where the instance asks for it. */
  readonly token?: string
}

/** The machine is shared: what takes a moment on a quiet one may take long. */
const waitMsMax = 30_000

/**
 * Opens the dashboard in Chromium. After the test the page must have reported no error: neither of
 * its own nor one of the content security policy.
 */
export async function openPage(
  t: TestContext,
  drover: RunningDrover,
  options: PageOptions = {},
): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  t.after(() => browser.close())
  const { width = 1280, height = 900, colors = 'light', place = '/', token } = options
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: colors })
  page.setDefaultTimeout(waitMsMax)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    // A call that is refused, or an instance that is away, is told on the page.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      errors.push(message.text())
  })
  t.after(() => assert.deepEqual(errors, [], 'errors of the page'))
  await page.goto(`${drover.url}/#${place}`)
  if (token !== undefined) {
    await page.getByLabel('Token').fill(token)
    await page.getByRole('button', { name: 'Log in' }).click()
  }
  return page
}

/** The row of a table that has `text` in it. */
export function rowOf(page: Page, text: string | RegExp) {
  return page.getByRole('row').filter({ hasText: text })
}
