import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Fault, silentLog, systemClock } from '@drover/kernel'
import { JobsClient, type JobView } from '../src/client.ts'
import { startJobs } from '../src/serve.ts'
import { openStores } from '../src/stores.ts'
import { startSite } from './local-site.ts'

test('the store is its owner’s alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-serve-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const store = join(folder, 'inner', 'jobs.sqlite')

  const stores = await openStores({ store, clock: systemClock })
  await stores.accounts.register('ann@example.org', 'secret')
  const files = readdirSync(join(folder, 'inner'))
  const modes = ['', ...files].map((name) => statSync(join(folder, 'inner', name)).mode & 0o077)
  await stores.close()

  assert.ok(files.includes('jobs.sqlite-wal'))
  assert.deepEqual(new Set(modes), new Set([0]))
})

test('a store that is none is named, and is no mistake of ours', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-serve-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const other = join(folder, 'notes.txt')
  writeFileSync(other, 'this is something else, and long enough to have a header\n'.repeat(20))

  for (const store of [folder, other, join(other, 'inner.sqlite')])
    await assert.rejects(openStores({ store, clock: systemClock }), (error: Fault) => {
      assert.equal(error.code, 'STORE_INVALID')
      assert.ok(error.message.includes(store))
      return true
    })
})

test('the service in one process fetches a site for its client', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'drover-serve-'))
  const site = await startSite((request, response) => {
    if (request.url === '/robots.txt') response.writeHead(404).end()
    else response.end(`<p>this is ${request.url}`)
  })
  const jobs = await startJobs({
    ...{ listen: '127.0.0.1:0', data, log: silentLog, allow: [`127.0.0.1:${site.port}`] },
    admin: { email: 'boss@example.org', password: 'secret' },
  })
  t.after(async () => {
    await jobs.stop()
    await site.close()
    rmSync(data, { recursive: true })
  })
  const login = await fetch(new URL('/token', jobs.url), {
    method: 'POST',
    body: new URLSearchParams({ username: 'boss@example.org', password: 'secret' }),
  })
  const { access_token: token } = (await login.json()) as { access_token: string }
  const client = new JobsClient({ url: jobs.url, token })

  const { batch, ids } = await client.submit([`${site.origin}/a`, 'http://10.0.0.1/'], { type: 1 })
  const last = new Map<string, JobView>()
  for await (const job of client.watch(batch)) last.set(job.id, job)
  const [good = '', bad = ''] = ids
  const text = Buffer.from(await client.result(good)).toString()
  const listed = await client.list({ batch })
  const again = await client.retry(bad)

  assert.equal(jobs.setupToken, undefined)
  assert.deepEqual([last.get(good)?.state, last.get(bad)?.state], ['done', 'dead'])
  assert.equal(last.get(bad)?.reason?.code, 'ADDRESS_REFUSED')
  assert.equal(text, 'this is /a')
  assert.equal(listed.length, 2)
  assert.equal(again.state, 'waiting')
  await assert.rejects(client.cancel('unknown'), { code: 'JOB_UNKNOWN' })
  const stranger = new JobsClient({ url: jobs.url, token: 'none' })
  await assert.rejects(stranger.retry(bad), { code: 'TOKEN_REFUSED' })
})
