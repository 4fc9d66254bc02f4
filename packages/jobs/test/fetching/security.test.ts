import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { after, test } from 'node:test'
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { systemClock } from '@drover/kernel'
import { callbackDefaults } from '../../src/callbacks/options.ts'
import { send } from '../../src/callbacks/send.ts'
import type { Lookup } from '../../src/fetching/connector.ts'
import { createFetcher, type FetchOutcome } from '../../src/fetching/fetcher.ts'
import { createGuard } from '../../src/fetching/guard.ts'
import { createTransport } from '../../src/fetching/transport.ts'
import { type FetchOptions, fetchDefaults } from '../../src/options.ts'
import { startSite } from '../local-site.ts'

/** Every way to write an address that must not be reached, and a name of each class. */
const refused = [
  ...['http://127.0.0.1:1/', 'http://127.1/', 'http://127.0.1/', 'http://0177.0.0.1/'],
  ...['http://0x7f000001/', 'http://0x7f.1/', 'http://2130706433/', 'http://017700000001/'],
  ...['http://0/', 'http://0.0.0.0/', 'http://[::]/', 'http://[::1]/', 'http://localhost:1/'],
  ...['http://[::ffff:127.0.0.1]/', 'http://[::ffff:7f00:1]/', 'http://[0:0:0:0:0:ffff:a00:1]/'],
  ...['http://[::127.0.0.1]/', 'http://[64:ff9b::7f00:1]/', 'http://[64:ff9b::169.254.169.254]/'],
  ...['http://[64:ff9b:1::1]/', 'http://[2002:7f00:1::]/', 'http://[2001:0:1::1]/'],
  ...[
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://168.63.129.16/',
  ],
  ...['http://100.100.100.200/', 'http://192.0.0.192/', 'http://169.254.0.1/', 'http://[fe80::1]/'],
  ...['http://10.0.0.1/', 'http://172.16.0.1/', 'http://192.168.0.1/', 'http://[fc00::1]/'],
  ...['http://100.64.0.1/', 'http://198.18.0.1/', 'http://192.0.2.1/', 'http://[2001:db8::1]/'],
  ...['http://224.0.0.1/', 'http://[ff02::1]/', 'http://240.0.0.1/', 'http://255.255.255.255/'],
  ...['http://１２７.0.0.1/', 'http://127。0。0。1/', 'https://127.0.0.1:1/', 'http://[fec0::1]/'],
  ...['http://%31%32%37.0.0.1/', 'http://127.0.0.1.:1/'],
]

const never = new AbortController().signal
const zeros = Buffer.alloc(8_000_000)
const packedZeros = {
  gzip: gzipSync(zeros),
  deflate: deflateSync(zeros),
  br: brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  zstd: zstdCompressSync(zeros),
}
let robots = ''

/** No letters beyond ASCII stand in a header; what is encoded already stays so. */
const asHeader = (url: string) => url.replace(/[^\0-\x7f]/g, encodeURIComponent)

/** Sends a part again and again as fast as it is read. */
function flood(response: ServerResponse, part: Buffer): void {
  const more = () => {
    while (!response.destroyed && response.write(part));
  }
  response.on('drain', more)
  more()
}

const site = await startSite((request, response) => {
  request.resume()
  const url = new URL(request.url ?? '', 'http://site.example')
  const packed = (encoding: string, body: Buffer) =>
    response.writeHead(200, { 'content-encoding': encoding }).end(body)
  const routes: Record<string, () => unknown> = {
    '/robots.txt': () =>
      robots === ''
        ? response.end('')
        : response.writeHead(302, { location: asHeader(robots) }).end(),
    '/to': () =>
      response.writeHead(302, { location: asHeader(url.searchParams.get('location') ?? '') }).end(),
    '/around': () => {
      const next = Number(url.searchParams.get('n') ?? 0) + 1
      response.writeHead(307, { location: `/around?n=${next}` }).end()
    },
    '/gzip': () => packed('gzip', packedZeros.gzip),
    '/deflate': () => packed('deflate', packedZeros.deflate),
    '/br': () => packed('br', packedZeros.br),
    '/zstd': () => packed('zstd', packedZeros.zstd),
    '/layers': () => packed('gzip, gzip, gzip, gzip', gzipSync('x')),
    '/endless': () => flood(response, Buffer.alloc(65_536, 'x')),
    '/endless-packed': () => {
      response.setHeader('content-encoding', 'gzip')
      flood(response, gzipSync(Buffer.alloc(200_000)))
    },
    '/fine': () => response.end('fine'),
  }
  routes[url.pathname]?.()
})

const options: FetchOptions = {
  ...fetchDefaults,
  hostDelayMs: 0,
  ...{ packedBytesMax: 500_000, pageBytesMax: 1_000_000, redirectsMax: 5 },
  allow: [`127.0.0.1:${site.port}`],
}
/** For servers that take their time. */
const hasty = { connectMs: 1_000, headersMs: 1_000, bodyMs: 1_000, totalMs: 2_000 }
const fetcher = createFetcher(options, systemClock)
const transport = (lookup?: Lookup) =>
  createTransport({
    ...options,
    guard: createGuard(options.allow),
    clock: systemClock,
    ...(lookup ? { lookup } : {}),
  })
const sending = transport()
after(async () => {
  await Promise.all([fetcher.stop(), sending.stop()])
  await site.close()
})

const codeOf = (outcome: FetchOutcome) =>
  outcome.kind === 'failed' ? outcome.fault.code : outcome.kind

const callTo = (url: string, by = sending) =>
  send(
    { transport: by, clock: systemClock, userAgent: 'Drover', options: callbackDefaults },
    {
      delivery: {
        ...{ id: 'job.1', jobId: 'job', ownerId: 'o', url, body: '{}', state: 'delivering' },
        ...{ attempt: 1, dueMs: 0, createdMs: 0 },
      },
      ...{ claim: 'c', secrets: [] },
    },
    never,
  )

for (const url of refused)
  test(`${url} is refused as a page, as a redirect, as robots.txt and as a callback`, async () => {
    robots = ''
    const page = await fetcher.fetch(url, never)
    const place = `${site.origin}/to?location=${encodeURIComponent(url)}`
    const redirect = await fetcher.fetch(place, never)
    const callback = await callTo(url)
    robots = url
    const asking = createFetcher(options, systemClock)
    const sent = await asking.fetch(`${site.origin}/fine`, never)
    await asking.stop()

    assert.deepEqual(
      [codeOf(page), codeOf(redirect), callback.fault?.code, codeOf(sent)],
      Array.from({ length: 4 }, () => 'ADDRESS_REFUSED'),
    )
    robots = ''
  })

test('a name whose address changes after it was judged is connected to where it was judged', async () => {
  const answers = [['127.0.0.1'], ['169.254.169.254']]
  const lookups: string[] = []
  const lookup: Lookup = async (host) => {
    lookups.push(host)
    return answers[Math.min(lookups.length, answers.length) - 1] ?? []
  }
  const [one, other] = [transport(lookup), transport(lookup)]
  const url = `http://rebind.example:${site.port}/fine`

  const first = await callTo(url, one)
  const second = await callTo(url, other)
  await Promise.all([one.stop(), other.stop()])

  assert.deepEqual([first.fault, first.attempt.status], [undefined, 200])
  assert.equal(second.fault?.code, 'ADDRESS_REFUSED')
  assert.equal(lookups.length, 2, 'what was judged is connected to without another look-up')
})

const hostile: Record<string, string> = {
  '/around': 'REDIRECTS_TOO_MANY',
  '/gzip': 'PAGE_TOO_LARGE',
  '/deflate': 'PAGE_TOO_LARGE',
  '/br': 'PAGE_TOO_LARGE',
  '/zstd': 'PAGE_TOO_LARGE',
  '/layers': 'ENCODING_BROKEN',
  '/endless': 'PAGE_TOO_LARGE',
  '/endless-packed': 'PAGE_TOO_LARGE',
  '/to?location=http://user:password@a.example/': 'REDIRECT_INVALID',
  '/to?location=gopher://a.example/': 'REDIRECT_INVALID',
}
for (const [path, code] of Object.entries(hostile))
  test(`a server that answers ${path} ends as ${code}`, async () => {
    const outcome = await fetcher.fetch(`${site.origin}${path}`, never)

    assert.equal(codeOf(outcome), code)
  })

/** What servers do that speak no HTTP, or too slowly; each is written again until somebody hangs up. */
const slow: Record<
  string,
  { readonly first: string; readonly again: string; readonly code: string }
> = {
  'says nothing': { first: '', again: '', code: 'FETCH_TIMEOUT' },
  'sends its headers letter by letter': {
    ...{ first: 'HTTP/1.1 200 OK\r\nx-slow: ', again: 'x', code: 'FETCH_TIMEOUT' },
  },
  'sends its body letter by letter': {
    ...{ first: 'HTTP/1.1 200 OK\r\n\r\n', again: 'x', code: 'FETCH_TIMEOUT' },
  },
  'sends headers without end': {
    ...{ first: 'HTTP/1.1 200 OK\r\n', again: `x-more: ${'x'.repeat(20_000)}\r\n` },
    code: 'HOST_FAILED',
  },
  'says again and again that it is about to answer': {
    ...{ first: '', again: 'HTTP/1.1 103 Early Hints\r\n\r\n', code: 'FETCH_TIMEOUT|HOST_FAILED' },
  },
  'speaks another language': { first: 'SSH-2.0-hello\r\n', again: '', code: 'HOST_FAILED' },
}
for (const [what, { first, again, code }] of Object.entries(slow))
  test(`a server that ${what} ends the fetch as ${code}`, async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.resume()
      socket.write(first)
      const timer = setInterval(() => socket.write(again), 20)
      socket.on('close', () => clearInterval(timer))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const wary = createFetcher(
      { ...options, ...hasty, robots: false, allow: [`127.0.0.1:${port}`] },
      systemClock,
    )
    t.after(() => server.close())

    const outcome = await wary.fetch(`http://127.0.0.1:${port}/`, never)
    await wary.stop()

    assert.match(codeOf(outcome), new RegExp(`^(${code})$`))
  })
