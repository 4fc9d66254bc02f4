import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { createManualClock, systemClock } from '@drover/kernel'
import { createFetcher, type FetchOutcome } from '../../src/fetching/fetcher.ts'
import { fetchDefaults } from '../../src/options.ts'
import { until } from '../until.ts'

const never = new AbortController().signal
const head = (status: string, ...lines: readonly string[]) =>
  [`HTTP/1.1 ${status}`, 'Connection: close', ...lines, '', ''].join('\r\n')

/** Writes as fast as it is read, until nobody reads. */
function flood(socket: Socket) {
  const more = () => {
    while (socket.writable && socket.write(Buffer.alloc(65_536, 'x')));
  }
  socket.on('drain', more)
  more()
}

/** What is answered to a path, byte by byte: a string in Latin-1. */
const answers: Record<string, string | ((socket: Socket) => void)> = {
  '/utf8': head('302 Found', 'Location: /caf\xc3\xa9?q=\xc3\xa9', 'Content-Length: 0'),
  '/latin': head('302 Found', 'Location: /caf\xe9', 'Content-Length: 0'),
  '/twice': head('302 Found', 'Location: /one', 'Location: /two', 'Content-Length: 0'),
  '/blank': head('301 Moved', 'Location:    /a b', 'Content-Length: 0'),
  '/self': head('302 Found', 'Location: ', 'Content-Length: 0'),
  '/fragment': head('302 Found', 'Location: #x', 'Content-Length: 0'),
  '/nonsense': head('302 Found', 'Location: http://[', 'Content-Length: 0'),
  '/long': head('302 Found', `Location: /${'x'.repeat(5_000)}`, 'Content-Length: 0'),
  '/user': head('302 Found', 'Location: http://me@127.0.0.1/', 'Content-Length: 0'),
  '/endless-redirect': (socket) => {
    socket.write(head('302 Found', 'Location: /one'))
    flood(socket)
  },
  '/endless-error': (socket) => {
    socket.write(head('503 Busy', 'Retry-After: 60'))
    flood(socket)
  },
  '/endless-missing': (socket) => {
    socket.write(head('404 Not Found'))
    flood(socket)
  },
  '/unasked': head('304 Not Modified', 'ETag: "1"'),
  '/to-unasked': head('302 Found', 'Location: /unasked', 'Content-Length: 0'),
  '/empty': head('204 No Content'),
  '/strange': head('999 Denied', 'Content-Length: 0'),
  '/choices': head('300 Choices', 'Location: /one', 'Content-Length: 0'),
  '/other-protocol': head('101 Switching', 'Upgrade: x', 'Connection: upgrade'),
  '/old': 'HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nold',
  '/none': '<html>hi',
  '/two-lengths': `${head('200 OK', 'Content-Length: 2', 'Content-Length: 5')}hello`,
  '/length-and-chunks': `${head('200 OK', 'Content-Length: 2', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
  '/large-chunk': `${head('200 OK', 'Transfer-Encoding: chunked')}fffffffffffffffff\r\nhello`,
  '/cut-chunk': `${head('200 OK', 'Transfer-Encoding: chunked')}ff\r\nhello`,
  '/reset': (socket) => socket.resetAndDestroy(),
}

const asked: { path: string; headers: string }[] = []
const server = createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', (data) => {
    const headers = data.toString('latin1')
    const path = /^GET (\S+)/.exec(headers)?.[1] ?? ''
    asked.push({ path, headers })
    const answer = answers[path] ?? `${head('200 OK')}at ${path}`
    if (typeof answer === 'function') answer(socket)
    else socket.end(Buffer.from(answer, 'latin1'))
  })
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const origin = `http://127.0.0.1:${port}`
const options = {
  ...fetchDefaults,
  ...{ robots: false, hostDelayMs: 0, packedBytesMax: 1_000_000, allow: [`127.0.0.1:${port}`] },
}
const fetcher = createFetcher(options, systemClock)
after(async () => {
  await fetcher.stop()
  server.close()
})

const said = (outcome: FetchOutcome) => {
  if (outcome.kind === 'page') return Buffer.from(outcome.page.body).toString()
  return outcome.kind === 'failed' ? outcome.fault.code : outcome.kind
}

for (const [path, wanted] of [
  ['/utf8', 'at /caf%C3%A9?q=%C3%A9'],
  ['/latin', 'at /caf%C3%A9'],
  ['/twice', 'at /one'],
  ['/blank', 'at /a%20b'],
  ['/self', 'REDIRECTS_TOO_MANY'],
  ['/fragment', 'REDIRECTS_TOO_MANY'],
  ['/nonsense', 'REDIRECT_INVALID'],
  ['/long', 'REDIRECT_INVALID'],
  ['/user', 'REDIRECT_INVALID'],
  ['/endless-redirect', 'at /one'],
  ['/endless-error', 'PAGE_UNAVAILABLE'],
  ['/endless-missing', 'PAGE_REFUSED'],
  ['/unasked', 'PAGE_REFUSED'],
  ['/empty', ''],
  ['/strange', 'PAGE_UNAVAILABLE'],
  ['/choices', 'PAGE_REFUSED'],
  ['/other-protocol', 'HOST_FAILED'],
  ['/old', 'old'],
  ['/none', 'HOST_FAILED'],
  ['/two-lengths', 'HOST_FAILED'],
  ['/length-and-chunks', 'HOST_FAILED'],
  ['/large-chunk', 'HOST_FAILED'],
  ['/cut-chunk', 'HOST_FAILED'],
  ['/reset', 'HOST_FAILED'],
] as const)
  test(`an answer like ${path} ends as "${wanted}"`, async () => {
    assert.equal(said(await fetcher.fetch(`${origin}${path}`, never)), wanted)
  })

test('an error with more body than anybody reads still says when to come back', async () => {
  const outcome = await fetcher.fetch(`${origin}/endless-error`, never)

  assert.equal(outcome.kind === 'failed' && outcome.waitMs, 60_000)
})

test('"not modified" counts only from the page that was asked whether it is', async () => {
  const known = { etag: '"1"', lastModified: undefined }

  const own = await fetcher.fetch(`${origin}/unasked`, never, {
    ...known,
    url: `${origin}/unasked`,
  })
  const other = await fetcher.fetch(`${origin}/to-unasked`, never, {
    ...known,
    url: `${origin}/to-unasked`,
  })
  const nothing = { url: `${origin}/unasked`, etag: undefined, lastModified: undefined }
  const bare = await fetcher.fetch(`${origin}/unasked`, never, nothing)

  assert.deepEqual([own, other, bare].map(said), ['unchanged', 'PAGE_REFUSED', 'PAGE_REFUSED'])
  assert.match(
    asked.findLast(({ path }) => path === '/to-unasked')?.headers ?? '',
    /if-none-match: "1"/i,
  )
})

test('redirects share the time of one page', async () => {
  const clock = createManualClock()
  const sockets: Socket[] = []
  const slow = createServer((socket) => socket.once('data', () => sockets.push(socket)))
  slow.listen(0, '127.0.0.1')
  await once(slow, 'listening')
  const { port: slowPort } = slow.address() as AddressInfo
  const allow = [`127.0.0.1:${slowPort}`]
  const patient = createFetcher({ ...options, allow, totalMs: 1_000 }, clock)

  const running = patient.fetch(`http://127.0.0.1:${slowPort}/`, never)
  for (let hop = 1; hop <= 3; hop++) {
    await until(`request ${hop}`, () => sockets.length === hop)
    await clock.advance(300)
    sockets.at(-1)?.end(head('302 Found', `Location: /${hop}`, 'Content-Length: 0'))
  }
  await until('request 4', () => sockets.length === 4)
  await clock.advance(100)

  assert.equal(said(await running), 'FETCH_TIMEOUT')
  await patient.stop()
  slow.close()
})

test('who is asked hears who asks, and nothing else', async () => {
  await fetcher.fetch(`${origin}/one`, never)

  const lines = asked.at(-1)?.headers.trim().split('\r\n').slice(1) ?? []
  const names = lines.map((line) => line.split(':', 1)[0]?.toLowerCase())
  assert.deepEqual(names.toSorted(), [
    'accept',
    'accept-encoding',
    'connection',
    'host',
    'user-agent',
  ])
  assert.ok(lines.includes(`user-agent: ${fetchDefaults.userAgent}`))
})
