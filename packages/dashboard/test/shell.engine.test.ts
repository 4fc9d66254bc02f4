import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startDrover, until } from './harness/drover.ts'
import { freePorts, webConfig } from './harness/everything.ts'
import { openPage, rowOf } from './harness/page.ts'

async function start(t: TestContext, token?: string) {
  const [port = 0] = await freePorts(1)
  return startDrover(t, webConfig(port), token)
}

const token = 'nobody-guesses-this-token'

test('an instance with a token is seen by who knows it only, and forgotten on leaving', async (t) => {
  const drover = await start(t, token)
  const page = await openPage(t, drover)

  await page.getByLabel('Token').fill('wrong')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').getByText('has another token').waitFor()
  assert.equal(await page.getByText('Server 1').count(), 0)
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Log in' }).click()
  await rowOf(page, 'Server 1').waitFor()
  await page.getByRole('button', { name: 'One replica more: 4' }).click()
  await until(
    'four',
    async () => (await drover.get<{ wanted: number }>('/v1/services/web')).wanted === 4,
  )
  await page.reload()
  await rowOf(page, 'Server 1').waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()

  await page.getByLabel('Token').waitFor()
  await page.reload()
  await page.getByLabel('Token').waitFor()
})

test('after a restart of the instance the page is right again by itself, without doubles', async (t) => {
  const drover = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })
  await rowOf(page, 'Server 3').waitFor()
  const before = await drover.get<{ pid: number }>('/v1/status')

  await drover.stop()
  await page.getByText('not connected').waitFor()
  await drover.start()

  const after = await drover.get<{ pid: number }>('/v1/status')
  assert.notEqual(after.pid, before.pid)
  await page.getByText('live', { exact: true }).waitFor()
  await page.getByText('3 of 3 get requests').waitFor()
  type Event = { id: number; message: string; service?: string }
  const told = async () =>
    (await drover.get<Event[]>('/v1/events?follow=false')).filter(
      ({ service }) => service === 'web',
    )
  await until('the same events', async () => {
    const shown = await page.locator('.event-log .message').allTextContents()
    const kept = (await told()).map(({ message }) => message).reverse()
    return shown.length > 0 && shown.join('\n').replaceAll('Warning: ', '') === kept.join('\n')
  })
})

test('news come while one looks, and filters find among them', async (t) => {
  const drover = await start(t)
  const page = await openPage(t, drover, { place: '/events' })
  await page.getByText(/Server 1 is ready/).waitFor()

  await drover.post('/v1/services/web/replicas/2/kill')
  await page.getByText(/web: Server 2 died/).waitFor()
  await page.getByLabel('Words').fill('died')

  await until('one left', async () => (await page.locator('.event-log li').count()) === 1)
  await page.getByLabel('Words').fill('no such thing')
  await page.getByText('Nothing like that happened yet.').waitFor()
})

test('a page that nobody looks at reads nothing, and catches up when it is seen', async (t) => {
  const drover = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })
  await rowOf(page, 'Server 2').waitFor()
  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      const { document, Event } = globalThis as never as {
        document: { dispatchEvent(event: unknown): void }
        Event: new (name: string) => unknown
      }
      Object.defineProperty(document, 'hidden', { value, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }, hidden)

  await hide(true)
  await drover.post('/v1/services/web/replicas/2/kill')
  await until('a successor', async () => {
    const { replicas } = await drover.get<{ replicas: { name: string; state: string }[] }>(
      '/v1/services/web',
    )
    return (
      replicas.filter(({ name, state }) => name !== 'Server 2' && state === 'ready').length === 3
    )
  })
  assert.equal(await page.getByText(/Server 2 died/).count(), 0)
  await hide(false)

  await page
    .getByText(/Server 2 died/)
    .first()
    .waitFor()
  await rowOf(page, 'Server 2').waitFor({ state: 'detached' })
})

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: string, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press(key)
    const focused = await page.evaluate(() => {
      const { document } = globalThis as never as { document: { activeElement: Focused | null } }
      interface Focused {
        getAttribute(name: string): string | null
        textContent: string | null
        id: string
        closest(selector: string): { querySelector(selector: string): Focused | null } | null
        matches(selector: string): boolean
      }
      const own = document.activeElement
      const label = own?.closest('.field')?.querySelector('label')?.textContent
      return {
        name: own?.getAttribute('aria-label') ?? label ?? own?.textContent ?? '',
        isSeen: own?.matches(':focus-visible') ?? false,
      }
    })
    if (focused.name.trim() !== name) continue
    assert.ok(focused.isSeen, `the focus on ${name} is not to be seen`)
    return
  }
  assert.fail(`no way to "${name}" by ${key}`)
}

test('by keyboard alone: skip, scale, choose a policy in a dialog that keeps the focus, and leave it', async (t) => {
  const drover = await start(t)
  const page = await openPage(t, drover, { place: '/services/web' })
  await rowOf(page, 'Server 3').waitFor()
  const web = () => drover.get<{ wanted: number; policy: string }>('/v1/services/web')

  await tabTo(page, 'Skip to the content')
  await page.keyboard.press('Enter')
  await tabTo(page, 'One replica more: 4')
  await page.keyboard.press('Enter')
  await until('four', async () => (await web()).wanted === 4)
  await tabTo(page, 'Policy')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'How web spreads requests' })
  await dialog.waitFor()
  for (let presses = 0; presses < 12; presses++) {
    await page.keyboard.press('Tab')
    const isInside = await dialog.evaluate((own) => {
      const { activeElement, body } = (own as never as { ownerDocument: Document }).ownerDocument
      // Past its last control the focus may rest on the browser itself, never on the page behind.
      return (own as never as Node).contains(activeElement) || activeElement === body
    })
    assert.ok(isInside, 'the focus left the dialog')
  }
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await until('the focus is back', async () => {
    const focused = await page.evaluate(
      () => (globalThis as never as { document: Document }).document.activeElement?.textContent,
    )
    return focused === 'Policy'
  })
  await page.keyboard.press('Enter')
  await dialog.waitFor()
  await page.keyboard.type('least')
  await tabTo(page, 'Use')
  await page.keyboard.press('Enter')

  await until('the policy', async () => (await web()).policy === 'least-connections')
})

test('colours follow the machine until one chooses, and the choice stays', async (t) => {
  const drover = await start(t)
  const page = await openPage(t, drover, { colors: 'dark' })
  await rowOf(page, 'Server 1').waitFor()
  const background = () =>
    page.evaluate(() => {
      const { document } = globalThis as never as { document: Document }
      return getComputedStyle(document.documentElement).backgroundColor
    })
  const dark = await background()

  await page.getByRole('button', { name: /Colours: system/ }).click()
  const light = await background()
  await page.reload()
  await rowOf(page, 'Server 1').waitFor()

  assert.notEqual(light, dark)
  assert.equal(await background(), light)
  await page.getByRole('button', { name: /Colours: light/ }).click()
  assert.equal(await background(), dark)
})
