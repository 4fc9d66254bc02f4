import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { createManualClock, systemClock } from '@drover/kernel'
import type { Lookup } from '../../src/fetching/connector.ts'
import { createFetcher, type FetchOutcome } from '../../src/fetching/fetcher.ts'
import { createGuard } from '../../src/fetching/guard.ts'
import { fetchDefaults } from '../../src/options.ts'
import { startSite } from '../local-site.ts'
import { until } from '../until.ts'

const never = new AbortController().signal
const site = await startSite((_request, response) => response.end('hello'))
after(() => site.close())
const codeOf = (outcome: FetchOutcome) =>
  outcome.kind === 'failed' ? outcome.fault.code : outcome.kind

function fetcherFor(lookup: Lookup, allow: readonly string[], clock = systemClock) {
  const options = { ...fetchDefaults, robots: false, hostDelayMs: 0, allow }
  return createFetcher(options, clock, { lookup })
}

test('a look-up that never ends is given up', async () => {
  const clock = createManualClock()
  const asked: string[] = []
  const lookup = (host: string) => {
    asked.push(host)
    return new Promise<never>(() => {})
  }
  const fetcher = fetcherFor(lookup, [], clock)

  const running = fetcher.fetch('http://slow.example/', never)
  await until('the look-up', () => asked.length > 0)
  await clock.advance(fetchDefaults.lookupMs)

  assert.equal(codeOf(await running), 'FETCH_TIMEOUT')
  await fetcher.stop()
})

test('a name without an address, and one that cannot be looked up, are unknown', async () => {
  const fetcher = fetcherFor(async (host) => {
    if (host === 'none.example') return []
    throw new Error('ENOTFOUND')
  }, [])

  const outcomes = await Promise.all(
    ['none', 'lost'].map((name) => fetcher.fetch(`http://${name}.example/`, never)),
  )

  assert.deepEqual(outcomes.map(codeOf), ['HOST_UNKNOWN', 'HOST_UNKNOWN'])
  await fetcher.stop()
})

test('when nobody is at the first address of a name, the next one is tried', async () => {
  const lookup = async () => ['127.0.0.9', '127.0.0.1']
  const fetcher = fetcherFor(lookup, ['127.0.0.0/8'])

  const outcome = await fetcher.fetch(`http://two.example:${site.port}/`, never)

  assert.equal(codeOf(outcome), 'page')
  await fetcher.stop()
})

test('each place of a private address in a look-up spoils the name', async () => {
  const secrets = [
    '10.0.0.1',
    '::1',
    '::ffff:127.0.0.2',
    '64:ff9b::a00:1',
    'fe80::1%eth0',
    '0.0.0.0',
  ]
  for (const secret of [...secrets, 'fd00:ec2::254', 'no address'])
    for (const found of [
      [secret, '127.0.0.1'],
      ['127.0.0.1', secret],
      Array(9).fill('127.0.0.1').concat(secret),
    ]) {
      const fetcher = fetcherFor(async () => found, [`127.0.0.1:${site.port}`])
      const seen = site.requests.length

      const outcome = await fetcher.fetch(`http://mixed.example:${site.port}/`, never)

      assert.deepEqual(
        [codeOf(outcome), site.requests.length],
        ['ADDRESS_REFUSED', seen],
        `${found}`,
      )
      await fetcher.stop()
    }
})

test('a connection that is kept is for the name that it was opened for', async () => {
  const fetcher = fetcherFor(async () => ['127.0.0.1'], [`good.example:${site.port}`])
  const ask = (host: string) => fetcher.fetch(`http://${host}:${site.port}/`, never).then(codeOf)

  const found = [
    await ask('good.example'),
    await ask('evil.example'),
    await ask('GOOD.example'),
    await ask('good.example.'),
  ]

  assert.deepEqual(found, ['page', 'ADDRESS_REFUSED', 'page', 'ADDRESS_REFUSED'])
  await fetcher.stop()
})

test('an address that is allowed on one port is so on no other, and allows no other', async () => {
  const other = await startSite((_request, response) => response.end('secret'))
  const fetcher = fetcherFor(async () => ['127.0.0.1'], [`127.0.0.1:${site.port}`])
  const ask = (url: string) => fetcher.fetch(url, never).then(codeOf)

  const found = [
    await ask(`http://127.0.0.1:${site.port}/`),
    await ask(`http://0x7f.1:${site.port}/`),
    await ask(`http://[::ffff:127.0.0.1]:${site.port}/`),
    ...[await ask(`http://127.0.0.1:${other.port}/`), await ask(`http://127.0.0.2:${site.port}/`)],
    ...[await ask(`http://[::1]:${site.port}/`), await ask(`http://0:${site.port}/`)],
  ]

  assert.deepEqual(found, [...Array(3).fill('page'), ...Array(4).fill('ADDRESS_REFUSED')])
  assert.equal(other.requests.length, 0)
  await fetcher.stop()
  await other.close()
})

test('public addresses are not reached on ports where no HTTP is, unless they are opened', () => {
  const guard = createGuard(['mail.example:25'])
  const refusals = [80, 443, 8080, 22, 25, 6379, 6667].map((port) =>
    guard.refusal('a.example', '93.184.216.34', port),
  )

  assert.deepEqual(refusals, [
    ...Array(3).fill(undefined),
    'port 22',
    'port 25',
    undefined,
    'port 6667',
  ])
  assert.equal(guard.refusal('mail.example', '93.184.216.34', 25), undefined)
})

test('a server that breaks each connection at once is broken, not forbidden', async () => {
  const server = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const fetcher = fetcherFor(async () => ['127.0.0.1'], [`127.0.0.1:${port}`])

  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, at) => fetcher.fetch(`http://a${at}.example:${port}/`, never)),
  )

  assert.deepEqual(new Set(outcomes.map(codeOf)), new Set(['HOST_FAILED']))
  await fetcher.stop()
  server.close()
})

test('a proxy that the environment names is not used', async () => {
  const proxy = await startSite((_request, response) => response.end('by proxy'))
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const program = `
    const { createFetcher } = await import(${url('../../src/fetching/fetcher.js')})
    const { fetchDefaults } = await import(${url('../../src/options.js')})
    const { systemClock } = await import('@drover/kernel')
    const fetcher = createFetcher({ ...fetchDefaults, allow: ['127.0.0.1:${site.port}'] }, systemClock)
    const outcomes = []
    for (const place of ['127.0.0.1:${site.port}', '10.0.0.1'])
      outcomes.push(await fetcher.fetch('http://' + place + '/', new AbortController().signal))
    console.log(outcomes.map((one) => one.fault?.code ?? Buffer.from(one.page.body).toString()).join())
    await fetcher.stop()`
  const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']
  const env = {
    ...process.env,
    NODE_USE_ENV_PROXY: '1',
    ...Object.fromEntries(names.map((name) => [name, proxy.origin])),
  }

  const words = ['--input-type=module', '--eval', program]
  const cwd = new URL('.', import.meta.url)
  const { stdout } = await promisify(execFile)(process.execPath, words, { env, cwd })

  assert.equal(stdout.trim(), 'hello,ADDRESS_REFUSED')
  assert.equal(proxy.requests.length, 0)
  await proxy.close()
})
