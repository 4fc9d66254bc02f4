import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { type RunningDrover, startDrover, until } from './harness/drover.ts'
import {
  chunksConfig,
  freePorts,
  herdConfig,
  jobsConfig,
  jobsLogin,
  queueConfig,
  webConfig,
} from './harness/everything.ts'
import { openPage } from './harness/page.ts'

/** Where the pictures lie, to be looked at: packages/dashboard/dist/pictures. */
const pictures = fileURLToPath(new URL('../pictures', import.meta.url))

/** Each page, and what is to be seen on it before it is looked at. */
const pages = [
  { place: '/services/web', seen: 'nobody else’s keys move' },
  { place: '/queue/queue/mails', seen: 'broker1' },
  { place: '/herd', seen: 'client2' },
  { place: '/jobs', seen: '/refused' },
  { place: '/chunks', seen: 'book.txt' },
  { place: '/experiments', seen: 'who answers, on three replicas' },
  { place: '/events', seen: 'Server 3 is ready' },
]

async function start(t: TestContext, token?: string) {
  const [webPort = 0, queuePort = 0] = await freePorts(2)
  const web = webConfig(webPort)
  const herd = await herdConfig(t)
  const drover = await startDrover(
    t,
    {
      services: {
        web: { ...web.services.web, policy: 'ring', key: 'query:user' },
        ...queueConfig(queuePort),
        ...jobsConfig(webPort),
        ...chunksConfig(),
        ...herd.services,
      },
      listeners: web.listeners,
    },
    token,
  )
  await until('every part', async () => {
    const parts = await drover.get<{ replicas: { ready: boolean }[] }[]>('/v1/parts')
    return parts.length === 6 && parts.every(({ replicas }) => replicas.some(({ ready }) => ready))
  })
  const url = `http://127.0.0.1:${webPort}`
  await fill(drover, url)
  return { drover, web: url }
}

const tokenOf = ({ token }: RunningDrover): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` }

/** Gives every page something to show. */
async function fill(drover: RunningDrover, web: string): Promise<void> {
  const queue = '/parts/queue/v1/topics'
  await drover.post(queue, { name: 'mails', options: { partitions: 6 } })
  await drover.post(queue, { name: 'a-topic-with-a-name-that-is-rather-long', options: {} })
  await drover.post(`${queue}/mails/messages`, { messages: Array(5).fill({ value: 'two boxes' }) })
  for (const [place, client] of [
    '+34.0689-118.4451',
    '+48.8583+2.2944',
    '-33.8568+151.2153',
  ].entries())
    await drover.post('/parts/bob/v1/lines', {
      line: `IAMAT client${place} ${client} 1621464827.9`,
    })
  const circle = { latitude: 34, longitude: -118, radiusKm: 900 }
  await drover.post('/parts/ann/v1/fences', { id: 'california', circle })
  await drover.post('/parts/ann/v1/links/Bob/cut', { cut: true })
  await submitJob(drover, web)
  await fetch(`${drover.url}/parts/chunks/chunks?by=lines%20100&as=zip&name=book.txt`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', ...tokenOf(drover) },
    body: 'ant bee cat\n'.repeat(500),
  })
}

async function submitJob(drover: RunningDrover, web: string): Promise<void> {
  const call = async (path: string, body: unknown, token = '') => {
    const headers = {
      ...{ 'content-type': 'application/json', 'x-part-authorization': token },
      ...tokenOf(drover),
    }
    const answer = await fetch(`${drover.url}/parts/jobs/v1${path}`, {
      ...{ method: 'POST', headers, body: JSON.stringify(body) },
    })
    return (await answer.json()) as { accessToken: string }
  }
  const { accessToken } = await call('/tokens', jobsLogin)
  const job = { url: `${web}/home`, type: 1, callbackUrl: `${web}/home` }
  await call('/jobs', job, `Bearer ${accessToken}`)
  await call('/jobs', { ...job, url: 'http://127.0.0.1:9/refused' }, `Bearer ${accessToken}`)
}

async function visit(page: Page, place: string, seen: string): Promise<void> {
  await page.evaluate((hash) => {
    ;(globalThis as never as { location: { hash: string } }).location.hash = hash
  }, place)
  if (place === '/jobs' && (await page.getByRole('navigation').isVisible())) await enterJobs(page)
  if (place === '/services/web') {
    await page.getByRole('img', { name: /^Requests per second, now: all [1-9]/ }).waitFor()
    await page.getByRole('button', { name: 'If it left' }).first().click()
  }
  // Charts and deliveries come a moment later than the rest.
  for (const late of ['Reading …', 'reading …'])
    await until(`no ${late}`, async () => (await page.getByText(late).count()) === 0)
  await page.getByText(seen).locator('visible=true').first().waitFor()
}

async function enterJobs(page: Page): Promise<void> {
  const isOut = page.getByLabel('Password')
  await isOut
    .or(page.getByRole('heading', { name: 'Latest jobs' }))
    .first()
    .waitFor()
  if (!(await isOut.isVisible())) return
  await page.getByLabel('Email').fill(jobsLogin.email)
  await isOut.fill(jobsLogin.password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** What a screen reader would have no words for. */
function nameless(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    interface Control {
      readonly outerHTML: string
      readonly textContent: string | null
      readonly labels?: ArrayLike<unknown> | null
      getAttribute(name: string): string | null
    }
    const { document } = globalThis as never as {
      document: { querySelectorAll(selector: string): Iterable<Control> }
    }
    const isNamed = (control: Control) =>
      Boolean(control.getAttribute('aria-label') ?? control.getAttribute('aria-labelledby')) ||
      (control.labels?.length ?? 0) > 0 ||
      (control.textContent ?? '').trim() !== ''
    const selector = 'button, a, input, select, textarea, [role=img], progress, table'
    return [...document.querySelectorAll(selector)]
      .filter((control) => !isNamed(control))
      .map(({ outerHTML }) => outerHTML.slice(0, 200))
  })
}

for (const { name, width, height, colors, token } of [
  { name: 'light', width: 1360, height: 900, colors: 'light' as const },
  // With a token: every part and every stream has to show it.
  { name: 'dark', width: 1360, height: 900, colors: 'dark' as const, token: 'nobody-guesses-this' },
  { name: 'narrow', width: 360, height: 780, colors: 'light' as const },
  { name: 'narrow-dark', width: 360, height: 780, colors: 'dark' as const },
])
  test(`every page fits ${width} pixels, ${colors}, and names all that can be pressed`, async (t) => {
    const { drover, web } = await start(t, token)
    const timer = setInterval(
      () => void fetch(`${web}/home?user=${randomUUID()}`).catch(String),
      25,
    )
    t.after(() => clearInterval(timer))
    const page = await openPage(t, drover, {
      ...{ width, height, colors },
      ...(token === undefined ? {} : { token }),
    })
    mkdirSync(pictures, { recursive: true })
    for (const { place, seen } of pages) {
      await visit(page, place, seen)

      const across = await page.evaluate(
        () =>
          (globalThis as never as { document: { documentElement: { scrollWidth: number } } })
            .document.documentElement.scrollWidth,
      )
      assert.ok(across <= width, `${place} is ${across} pixels wide`)
      assert.deepEqual(await nameless(page), [], place)
      await page.evaluate('scrollTo(0, 0)')
      const file = `${place.split('/')[1]}-${name}.png`
      await page.screenshot({ path: join(pictures, file), fullPage: true, animations: 'disabled' })
    }
  })

test('who wants no motion gets none', async (t) => {
  const drover = await startDrover(t, webConfig())
  const page = await openPage(t, drover)
  const turning = () =>
    page.evaluate(() => {
      const { document, getComputedStyle } = globalThis as never as {
        document: { body: { append(node: unknown): void }; createElement(name: string): Made }
        getComputedStyle(node: unknown): { animationName: string }
      }
      interface Made {
        className: string
        innerHTML: string
        firstChild: unknown
      }
      const made = document.createElement('span')
      made.className = 'state coming'
      made.innerHTML = '<span class="mark"></span>'
      document.body.append(made)
      return getComputedStyle(made.firstChild).animationName
    })

  assert.equal(await turning(), 'turn')
  await page.emulateMedia({ reducedMotion: 'reduce' })

  assert.equal(await turning(), 'none')
})
