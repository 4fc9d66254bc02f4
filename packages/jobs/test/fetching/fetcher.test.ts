import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, test } from 'node:test'
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { createManualClock, systemClock } from '@drover/kernel'
import { createFetcher, type FetchOutcome } from '../../src/fetching/fetcher.ts'
import { type FetchOptions, fetchDefaults } from '../../src/options.ts'
import { startSite } from '../local-site.ts'

const never = new AbortController().signal
const robotsTxt = 'User-agent: Drover\nDisallow: /secret\n'

const site = await startSite((request, response) => {
  const path = request.url ?? ''
  const answer = (
    status: number,
    headers: Record<string, string>,
    body: Uint8Array | string = '',
  ) => response.writeHead(status, headers).end(body)
  const bomb = () => gzipSync(Buffer.alloc(2_000_000, 97))
  const routes: Record<string, () => ServerResponse | undefined> = {
    '/robots.txt': () => answer(200, {}, robotsTxt),
    '/plain': () => answer(200, { 'content-type': 'text/html' }, 'hello'),
    '/secret/page': () => answer(200, {}, 'not to be read'),
    '/to-secret': () => answer(302, { location: '/secret/page' }),
    '/to-plain': () => answer(302, { location: 'plain#part' }),
    '/loop': () => answer(301, { location: '/loop' }),
    '/to-metadata': () => answer(302, { location: 'http://169.254.169.254/latest' }),
    '/to-loopback': () => answer(302, { location: 'http://0x7f000001:1/' }),
    '/to-file': () => answer(302, { location: 'file:///etc/passwd' }),
    '/nowhere': () => answer(302, {}),
    '/gzip': () => answer(200, { 'content-encoding': 'gzip' }, gzipSync('packed')),
    '/br': () => answer(200, { 'content-encoding': 'br' }, brotliCompressSync('packed')),
    '/zstd': () => answer(200, { 'content-encoding': 'zstd' }, zstdCompressSync('packed')),
    '/deflate': () => answer(200, { 'content-encoding': 'deflate' }, deflateSync('packed')),
    '/bare': () => answer(200, { 'content-encoding': 'deflate' }, deflateRawSync('packed')),
    '/twice': () =>
      answer(200, { 'content-encoding': 'gzip, br' }, brotliCompressSync(gzipSync('packed'))),
    '/bomb': () => answer(200, { 'content-encoding': 'gzip' }, bomb()),
    '/bomb-in-bomb': () => answer(200, { 'content-encoding': 'gzip, gzip' }, gzipSync(bomb())),
    '/not-gzip': () => answer(200, { 'content-encoding': 'gzip' }, 'nonsense'),
    '/unknown': () => answer(200, { 'content-encoding': 'lzma' }, 'nonsense'),
    '/large': () => answer(200, {}, Buffer.alloc(200_000)),
    '/gone': () => answer(410, {}),
    '/slow-down': () => answer(429, { 'retry-after': '7' }),
    '/broken': () => answer(500, {}),
    '/silent': () => undefined,
    '/cut': () => {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      response.destroy()
      return undefined
    },
    '/etag': () =>
      request.headers['if-none-match'] === '"v1"'
        ? answer(304, {})
        : answer(200, { etag: '"v1"' }, 'first'),
  }
  const route = routes[path]
  if (route) route()
  else answer(404, {})
})
const options: FetchOptions = {
  ...fetchDefaults,
  hostDelayMs: 0,
  packedBytesMax: 100_000,
  pageBytesMax: 1_000_000,
  redirectsMax: 3,
  allow: [`127.0.0.1:${site.port}`],
}
const fetcher = createFetcher(options, systemClock)
after(async () => {
  await fetcher.stop()
  await site.close()
})

const codeOf = (outcome: FetchOutcome) =>
  outcome.kind === 'failed' ? outcome.fault.code : outcome.kind
const textOf = (outcome: FetchOutcome) =>
  outcome.kind === 'page' ? Buffer.from(outcome.page.body).toString() : codeOf(outcome)

for (const path of ['gzip', 'br', 'zstd', 'deflate', 'bare', 'twice'])
  test(`a body packed by ${path} is unpacked`, async () => {
    const outcome = await fetcher.fetch(`${site.origin}/${path}`, never)

    assert.equal(textOf(outcome), 'packed')
  })

const failures: Record<string, string> = {
  '/to-secret': 'ROBOTS_DISALLOW',
  '/secret/page': 'ROBOTS_DISALLOW',
  '/loop': 'REDIRECTS_TOO_MANY',
  '/to-metadata': 'ROBOTS_UNREACHABLE|ADDRESS_REFUSED',
  '/to-loopback': 'ADDRESS_REFUSED',
  '/to-file': 'REDIRECT_INVALID',
  '/nowhere': 'REDIRECT_INVALID',
  '/bomb': 'PAGE_TOO_LARGE',
  '/bomb-in-bomb': 'PAGE_TOO_LARGE',
  '/large': 'PAGE_TOO_LARGE',
  '/not-gzip': 'ENCODING_BROKEN',
  '/unknown': 'ENCODING_BROKEN',
  '/gone': 'PAGE_REFUSED',
  '/missing': 'PAGE_REFUSED',
  '/broken': 'PAGE_UNAVAILABLE',
  '/cut': 'HOST_FAILED',
}
for (const [path, code] of Object.entries(failures))
  test(`${path} ends as ${code}`, async () => {
    const outcome = await fetcher.fetch(`${site.origin}${path}`, never)

    assert.match(codeOf(outcome), new RegExp(`^(${code})$`))
  })

const addresses = [
  'http://127.1/',
  'http://0x7f000001/',
  'http://2130706433/',
  'http://0177.0.0.1/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::1]/',
  'http://0/',
  'http://localhost/',
  'http://169.254.169.254/latest/meta-data/',
  'http://10.0.0.1/',
  'https://192.168.1.1/',
]
for (const address of addresses)
  test(`${address} is refused`, async () => {
    const outcome = await fetcher.fetch(address, never)

    assert.equal(codeOf(outcome), 'ADDRESS_REFUSED')
  })

for (const address of [
  'ftp://a.example/',
  'http://user:pass@a.example/',
  'nothing',
  'javascript:1',
])
  test(`${address} is no page`, async () => {
    const outcome = await fetcher.fetch(address, never)

    assert.equal(codeOf(outcome), 'URL_INVALID')
  })

test('a redirect is followed, and its fragment dropped', async () => {
  const outcome = await fetcher.fetch(`${site.origin}/to-plain`, never)

  assert.equal(outcome.kind === 'page' && outcome.page.url, `${site.origin}/plain`)
})

test('a server that asks to come back later says when', async () => {
  const outcome = await fetcher.fetch(`${site.origin}/slow-down`, never)

  assert.equal(outcome.kind === 'failed' && outcome.waitMs, 7_000)
})

test('a page that has not changed is not sent again', async () => {
  const first = await fetcher.fetch(`${site.origin}/etag`, never)
  const known = first.kind === 'page' ? first.page : undefined

  const second = await fetcher.fetch(`${site.origin}/etag`, never, known)

  assert.equal(second.kind, 'unchanged')
})

test('robots.txt can be left unasked', async () => {
  const rude = createFetcher({ ...options, robots: false }, systemClock)

  const outcome = await rude.fetch(`${site.origin}/secret/page`, never)

  assert.equal(outcome.kind, 'page')
  await rude.stop()
})

test('a page that never answers ends by the deadline of the whole', async () => {
  const clock = createManualClock()
  const patient = createFetcher({ ...options, robots: false, totalMs: 5_000 }, clock)
  const seen = site.requests.length

  const running = patient.fetch(`${site.origin}/silent`, never)
  const endsAt = performance.now() + 10_000
  while (site.requests.length === seen && performance.now() < endsAt) await systemClock.sleep(5)
  await clock.advance(5_000)

  assert.equal(codeOf(await running), 'FETCH_TIMEOUT')
  await patient.stop()
})

test('a name that leads elsewhere at its second look-up is judged anew each time', async () => {
  const answers = [['127.0.0.1'], ['127.0.0.2']]
  const lookups: string[] = []
  const lookup = async (host: string) => {
    lookups.push(host)
    return answers[Math.min(lookups.length, answers.length) - 1] ?? []
  }
  const wary = () => createFetcher({ ...options, robots: false }, systemClock, { lookup })
  const [one, other] = [wary(), wary()]

  const first = await one.fetch(`http://rebind.example:${site.port}/plain`, never)
  const second = await other.fetch(`http://rebind.example:${site.port}/plain`, never)

  assert.equal(textOf(first), 'hello')
  assert.equal(codeOf(second), 'ADDRESS_REFUSED')
  assert.equal(lookups.length, 2, 'each connection looks up once, and connects to what it judged')
  await Promise.all([one.stop(), other.stop()])
})

test('one refused address among several spoils the name', async () => {
  const lookup = async () => ['127.0.0.1', '10.0.0.1']
  const wary = createFetcher({ ...options, robots: false }, systemClock, { lookup })

  const outcome = await wary.fetch(`http://mixed.example:${site.port}/plain`, never)

  assert.equal(codeOf(outcome), 'ADDRESS_REFUSED')
  await wary.stop()
})
