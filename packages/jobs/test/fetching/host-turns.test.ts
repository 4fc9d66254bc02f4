import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { createFetcher } from '../../src/fetching/fetcher.ts'
import { PageTurns, TurnLater } from '../../src/fetching/host-turns.ts'
import { fetchDefaults } from '../../src/options.ts'
import { openStores } from '../../src/stores.ts'
import { startSite } from '../local-site.ts'

const never = new AbortController().signal
const site = await startSite((request, response) => {
  const hop = Number(request.url?.slice(1))
  if (hop > 0) response.writeHead(302, { location: `/${hop - 1}` }).end()
  else response.end('page')
})
after(() => site.close())

async function startTurns() {
  const clock = createManualClock(1_790_000_000_000)
  const stores = await openStores({ store: ':memory:', clock })
  return { clock, stores }
}

test('workers of one store ask a host one after the other, each in its turn', async () => {
  const { clock, stores } = await startTurns()
  const options = {
    ...fetchDefaults,
    robots: false,
    hostDelayMs: 10_000,
    allow: [`127.0.0.1:${site.port}`],
  }
  const workers = [1, 2, 3].map(() => createFetcher(options, clock, { turns: stores.turns }))

  const outcomes = await Promise.all(
    workers.map((worker) => worker.fetch(`${site.origin}/0`, never)),
  )
  const waits = outcomes.map((outcome) =>
    outcome.kind === 'later' ? outcome.waitMs : outcome.kind,
  )

  assert.deepEqual(waits, ['page', 10_000, 20_000])
  await Promise.all([...workers.map((worker) => worker.stop()), stores.close()])
})

test('a page that is led on at its own host takes a turn for each request', async () => {
  const { clock, stores } = await startTurns()
  const turns = () => new PageTurns(stores.turns, clock, undefined)
  const page = turns()

  for (let request = 0; request < 4; request++) await page.await('a.example', 10_000, never)

  await assert.rejects(turns().await('a.example', 10_000, never), (error) => {
    assert.ok(error instanceof TurnLater)
    assert.equal(error.waitMs, 40_000)
    return true
  })
  await stores.close()
})

test('a page whose turn has come takes no other for its first request', async () => {
  const { clock, stores } = await startTurns()
  const page = new PageTurns(stores.turns, clock, 'a.example')

  await page.await('a.example', 10_000, never)

  assert.equal(await stores.turns.reserve('a.example', 10_000), 0)
  await stores.close()
})

test('a redirect to a host whose turn is far away ends as busy', async () => {
  const { clock, stores } = await startTurns()
  for (let other = 0; other < 4; other++) await stores.turns.reserve('busy.example', 10_000)
  const page = new PageTurns(stores.turns, clock, undefined)

  await page.await('a.example', 10_000, never)

  await assert.rejects(page.await('busy.example', 10_000, never), { code: 'HOST_BUSY' })
  await stores.close()
})
