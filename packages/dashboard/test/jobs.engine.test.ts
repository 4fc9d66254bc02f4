import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startDrover, until } from './harness/drover.ts'
import { jobsConfig, jobsLogin } from './harness/everything.ts'
import { openPage, rowOf } from './harness/page.ts'

/** A site that has pages, takes callbacks, and holds back the answer to `/slow`. */
async function serveSite(t: TestContext) {
  const called: string[] = []
  const site = createServer((request, response) => {
    if (request.url === '/slow') return
    if (request.url === '/back') called.push(String(request.headers['webhook-id']))
    response.setHeader('content-type', 'text/html')
    response.end('<title>Boxes</title><p>Two boxes are here.</p>')
  })
  await new Promise<void>((resolve) => {
    site.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => {
    site.closeAllConnections()
    site.close()
  })
  const { port } = site.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}`, called }
}

async function start(t: TestContext) {
  const site = await serveSite(t)
  const drover = await startDrover(t, { services: jobsConfig(site.port) })
  const page = await openPage(t, drover, { place: '/jobs' })
  const login = async () => {
    const answer = await fetch(`${drover.url}/parts/jobs/v1/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(jobsLogin),
    })
    return ((await answer.json()) as { accessToken: string }).accessToken
  }
  await until('the jobs', () => login().catch(() => undefined))
  const token = await login()
  const ask = async <Answer>(path: string): Promise<Answer> => {
    const headers = { 'x-part-authorization': `Bearer ${token}` }
    const answer = await fetch(`${drover.url}/parts/jobs${path}`, { headers })
    return (await answer.json()) as Answer
  }
  return { drover, page, site, ask }
}

async function logIn(page: Page) {
  await page.getByLabel('Email').fill(jobsLogin.email)
  await page.getByLabel('Password').fill(jobsLogin.password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Latest jobs' }).waitFor()
}

async function submit(page: Page, url: string, callback = '') {
  await page.getByRole('button', { name: 'Submit' }).click()
  await page.getByLabel('Address').fill(url)
  await page.getByLabel('Call back').fill(callback)
  await page.getByRole('dialog').getByRole('button', { name: 'Submit' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

interface Jobs {
  readonly jobs: readonly { readonly url: string; readonly state: string; readonly run: number }[]
}

test('a wrong password is told, and the right one is kept until one leaves', async (t) => {
  const { page } = await start(t)

  await page.getByLabel('Email').fill(jobsLogin.email)
  await page.getByLabel('Password').fill('not this one')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').waitFor()
  await logIn(page)
  await page.reload()
  await page.getByRole('heading', { name: 'Latest jobs' }).waitFor()
  await page.getByRole('button', { name: 'Leave jobs' }).click()

  await page.getByLabel('Password').waitFor()
})

test('a job is submitted, watched until it is done, its result read, its call repeated', async (t) => {
  const { page, site, ask } = await start(t)
  await logIn(page)

  await submit(page, `${site.url}/boxes`, `${site.url}/back`)
  await rowOf(page, '/boxes').getByText('done').waitFor()
  const { jobs } = await ask<Jobs>('/v1/jobs')
  assert.deepEqual(
    jobs.map(({ url, state }) => `${url} ${state}`),
    [`${site.url}/boxes done`],
  )
  await page.getByRole('link', { name: `${site.url}/boxes` }).click()
  await page.getByRole('button', { name: /^Show the result/ }).click()
  await page.getByText('Two boxes are here.').waitFor()
  await page.keyboard.press('Escape')
  await until('the call', () => site.called.length === 1)
  await page.getByRole('table', { name: 'Deliveries' }).getByText('delivered').waitFor()
  await page.getByRole('button', { name: `Call ${site.url}/back again` }).click()

  await until('the second call', () => site.called.length === 2)
  assert.equal(site.called[0], site.called[1])
  await page.getByRole('button', { name: `What was said to ${site.url}/back` }).click()
  await page
    .getByText(/answered 200/)
    .first()
    .waitFor()
})

test('a job under way is cancelled, and tried again', async (t) => {
  const { page, site, ask } = await start(t)
  await logIn(page)
  const job = async () => (await ask<Jobs>('/v1/jobs')).jobs[0]

  await submit(page, `${site.url}/slow`)
  await until('it works', async () => (await job())?.state === 'working')
  await page.getByRole('button', { name: `Cancel ${site.url}/slow` }).click()
  await until('cancelled', async () => (await job())?.state === 'cancelled')
  await rowOf(page, '/slow').getByText('cancelled').waitFor()
  await page.getByRole('button', { name: `Retry ${site.url}/slow` }).click()

  await until('another run', async () => (await job())?.run === 2)
})

test('a page is submitted by a schedule, which rests, goes on and is removed', async (t) => {
  const { page, site, ask } = await start(t)
  await logIn(page)
  interface Schedules {
    readonly schedules: readonly { readonly timeZone: string; readonly paused: boolean }[]
  }
  const schedules = async () => (await ask<Schedules>('/v1/schedules')).schedules
  const add = async (cron: string) => {
    await page.getByRole('button', { name: 'Add a schedule' }).click()
    await page.getByLabel('Address').fill(`${site.url}/news`)
    await page.getByLabel('When').fill(cron)
    await page.getByLabel('Time zone').fill('Europe/Berlin')
    await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click()
  }

  await add('0 9 * *')
  await page
    .getByRole('alert')
    .getByText(/has 4 fields/)
    .waitFor()
  await page.keyboard.press('Escape')
  await add('0 9 * * 1-5')
  await page.getByRole('table', { name: 'Schedules' }).getByText('0 9 * * 1-5').waitFor()
  const [made] = await schedules()
  await page.getByRole('button', { name: `Pause ${site.url}/news` }).click()
  await rowOf(page, '/news').getByText('rests').waitFor()
  const [resting] = await schedules()
  await page.getByRole('button', { name: `Resume ${site.url}/news` }).click()
  await until('it goes on', async () => (await schedules())[0]?.paused === false)
  await page.getByRole('button', { name: `Remove ${site.url}/news` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()

  await page.getByText('Nothing is submitted by itself so far.').waitFor()
  assert.deepEqual([made?.timeZone, resting?.paused], ['Europe/Berlin', true])
  assert.deepEqual(await schedules(), [])
})

test('a filter leaves out what it should, also when that changes', async (t) => {
  const { page, site, ask } = await start(t)
  await logIn(page)
  await page.getByLabel('State', { exact: true }).first().selectOption('dead')
  await page.getByText('No such job.').waitFor()

  await submit(page, `${site.url}/fine`)
  await submit(page, 'http://127.0.0.1:9/refused')

  await rowOf(page, '/refused').getByText('dead').waitFor()
  const done = async () =>
    (await ask<Jobs>('/v1/jobs')).jobs.some(
      ({ url, state }) => url.endsWith('/fine') && state === 'done',
    )
  await until('the other is done', done)
  assert.equal(await rowOf(page, '/fine').count(), 0)
  await page.getByRole('button', { name: 'Retry all dead' }).click()
  await page.getByText('1 job tried again').waitFor()
})

test('when the jobs are restarted the list goes on by itself', async (t) => {
  const { drover, page, site } = await start(t)
  await logIn(page)
  await submit(page, `${site.url}/before`)
  await rowOf(page, '/before').getByText('done').waitFor()
  const pid = async () => {
    const { replicas } = await drover.get<{ replicas: { pid: number; state: string }[] }>(
      '/v1/services/jobs',
    )
    return replicas.find(({ state }) => state === 'ready')?.pid
  }
  const before = await pid()

  await drover.post('/v1/services/jobs/restart')
  await until('another process', async () => ![before, undefined].includes(await pid()))
  await submit(page, `${site.url}/after`)

  await rowOf(page, '/after').getByText('done').waitFor()
  assert.equal(await rowOf(page, '/before').count(), 1)
})
