import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createManualClock } from '@drover/kernel'
import { fault } from '../../src/errors.ts'
import { createFetcher } from '../../src/fetching/fetcher.ts'
import { createRobots } from '../../src/fetching/robots.ts'
import type { Incoming, Transport } from '../../src/fetching/transport.ts'
import { fetchDefaults } from '../../src/options.ts'
import { startSite } from '../local-site.ts'

const never = new AbortController().signal
const hourMs = 3_600_000

/** Robots over a web of the test's own, and the addresses that were asked for. */
function robotsOf(answer: (url: URL) => Partial<Incoming> | Promise<Partial<Incoming>>) {
  const clock = createManualClock()
  const asked: string[] = []
  const transport: Transport = {
    async send({ url }, signal) {
      asked.push(url.href)
      const ended = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => ended.reject(signal.reason), { once: true })
      const told = await Promise.race([answer(url), ended.promise])
      return { status: 200, headers: {}, body: new Uint8Array(), ...told }
    },
    stop: async () => {},
  }
  const robots = createRobots({ transport, clock, userAgent: 'Drover/1.0 (tests)', totalMs: 5_000 })
  const ask = async (url: string) => (await robots.ask(new URL(url), never)).allowed
  return { clock, asked, robots, ask }
}
const closed = Buffer.from('User-agent: *\nDisallow: /closed\n')

test('a robots.txt is asked for once an hour, for each origin of its own', async () => {
  const { clock, asked, ask } = robotsOf(() => ({ body: closed }))

  const answers = await Promise.all([
    ...['http://a.example/closed/1', 'http://a.example/open', 'http://a.example:80/closed'].map(
      ask,
    ),
    ...['http://a.example:81/open', 'https://a.example/open', 'http://b.a.example/open'].map(ask),
  ])
  await clock.advance(hourMs - 1)
  await ask('http://a.example/open')
  const before = asked.length
  await clock.advance(1)
  await ask('http://a.example/open')

  assert.deepEqual(answers, [false, true, false, true, true, true])
  assert.deepEqual([before, asked.length], [4, 5])
})

test('what cannot be read now is not asked for again at once, and nothing is fetched meanwhile', async () => {
  let status = 503
  const { clock, asked, ask } = robotsOf(() => ({ status, body: closed }))

  for (let job = 0; job < 5; job++)
    await assert.rejects(ask('http://a.example/open'), { code: 'ROBOTS_UNREACHABLE' })
  const knocks = asked.length
  status = 200
  await clock.advance(30_001)

  assert.equal(knocks, 1)
  assert.equal(await ask('http://a.example/open'), true)
})

for (const [status, wanted] of [
  [404, true],
  [403, true],
  [401, true],
  [429, 'ROBOTS_UNREACHABLE'],
  [500, 'ROBOTS_UNREACHABLE'],
  [304, true],
] as const)
  test(`a robots.txt that answers ${status} means ${wanted === true ? 'no rules' : 'wait'}`, async () => {
    const { ask } = robotsOf(() => ({ status, body: closed }))

    const found = await ask('http://a.example/closed').catch(({ code }) => code)

    assert.equal(found, wanted)
  })

test('redirects of a robots.txt are followed five times, wherever they lead', async () => {
  const hop = (count: number) => ({
    status: 301,
    headers: { location: `http://other.example/${count}` },
  })
  const countdown = (hops: number) =>
    robotsOf(({ pathname }) => {
      const left = pathname === '/robots.txt' ? hops : Number(pathname.slice(1))
      return left === 0 ? { body: closed } : hop(left - 1)
    })

  const [five, six] = [countdown(5), countdown(6)]
  const found = [
    await five.ask('http://a.example/closed'),
    await six.ask('http://a.example/closed'),
  ]

  assert.deepEqual(found, [false, true])
  assert.equal(six.asked.length, 6)
})

test('a byte order mark, a packed body and half a megabyte of comments are read', async () => {
  const bodies: Record<string, Partial<Incoming>> = {
    'mark.example': { body: Buffer.concat([Buffer.from('\ufeff'), closed]) },
    'packed.example': { body: gzipSync(closed), headers: { 'content-encoding': 'gzip' } },
    'long.example': { body: Buffer.concat([Buffer.from('# more\n'.repeat(70_000)), closed]) },
    'not.example': { body: closed, headers: { 'content-encoding': 'gzip' } },
  }
  const { ask } = robotsOf(({ host }) => bodies[host] ?? {})

  assert.equal(await ask('http://mark.example/closed'), false)
  assert.equal(await ask('http://packed.example/closed'), false)
  assert.equal(await ask('http://long.example/closed'), false)
  await assert.rejects(ask('http://not.example/closed'), { code: 'ROBOTS_UNREACHABLE' })
})

test('one that never comes is given up, and a job that ends before does not wait for it', async () => {
  const { clock, robots } = robotsOf(() => new Promise(() => {}))
  const control = new AbortController()

  const url = new URL('http://a.example/')
  const given = robots.ask(url, control.signal)
  const patient = robots.ask(url, never)
  control.abort(new Error('enough'))
  await assert.rejects(given, /enough/)
  await Promise.all([
    assert.rejects(patient, { code: 'ROBOTS_UNREACHABLE', message: /took too long/ }),
    clock.advance(5_000),
  ])
})

test('an address that must not be reached is named as the reason', async () => {
  const { ask } = robotsOf(() => Promise.reject(fault('ADDRESS_REFUSED', 'no')))

  await assert.rejects(ask('http://a.example/'), { code: 'ADDRESS_REFUSED' })
})

test('large files of many sites are not all remembered', async () => {
  const body = Buffer.from(`User-agent: *\n${'Disallow:/x\n'.repeat(40_000)}`)
  const { asked, ask } = robotsOf(() => ({ body }))

  for (let site = 0; site < 24; site++) await ask(`http://site-${site}.example/`)
  const before = asked.length
  await ask('http://site-23.example/')
  const same = asked.length
  await ask('http://site-0.example/')

  assert.deepEqual([before, same, asked.length], [24, 24, 25])
})

test('a page whose robots.txt failed is tried again only when that is asked for anew', async () => {
  let isBroken = true
  const site = await startSite((_request, response) => {
    if (isBroken) response.destroy()
    else response.end('page')
  })
  const clock = createManualClock()
  const fetcher = createFetcher({ ...fetchDefaults, allow: [`127.0.0.1:${site.port}`] }, clock)

  const first = await fetcher.fetch(`${site.origin}/`, never)
  isBroken = false
  const sooner = await fetcher.fetch(`${site.origin}/`, never)
  await clock.advance(first.kind === 'failed' ? (first.waitMs ?? 0) : 0)
  const later = await fetcher.fetch(`${site.origin}/`, never)

  const codes = [first, sooner].map((outcome) => outcome.kind === 'failed' && outcome.fault.code)
  assert.deepEqual(codes, ['ROBOTS_UNREACHABLE', 'ROBOTS_UNREACHABLE'])
  assert.equal(later.kind, 'page')
  await Promise.all([fetcher.stop(), site.close()])
})
