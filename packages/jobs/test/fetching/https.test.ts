import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { setDefaultCACertificates } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { createManualClock, systemClock } from '@drover/kernel'
import { createFetcher, type FetchOutcome } from '../../src/fetching/fetcher.ts'
import { fetchDefaults } from '../../src/options.ts'
import { until } from '../until.ts'
import { certificate, certificateKey } from './certificate.ts'

setDefaultCACertificates([certificate])

const never = new AbortController().signal
const codeOf = (outcome: FetchOutcome) =>
  outcome.kind === 'failed' ? outcome.fault.code : outcome.kind
const textOf = (outcome: FetchOutcome) =>
  outcome.kind === 'page' ? Buffer.from(outcome.page.body).toString() : codeOf(outcome)

type Version = '1.1' | '2.0'
const versions: readonly Version[] = ['1.1', '2.0']

/** A site over TLS, and what it was asked: the version, and the host. */
async function startSecure(t: { after(end: () => unknown): void }, version: Version) {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const identity = { cert: certificate, key: certificateKey }
  const server =
    version === '1.1'
      ? createHttpsServer({ ...identity, keepAliveTimeout: 0 })
      : createSecureServer(identity)
  server.on('secureConnection', (socket) => sockets.add(socket))
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    // Connections are for one request after the other, and nobody hears how long they are kept.
    if (version === '1.1') response.setHeader('keep-alive', 'timeout=3600')
    asked.push(`${request.httpVersion} ${request.headers[':authority'] ?? request.headers.host}`)
    const routes: Record<string, () => unknown> = {
      '/robots.txt': () => response.writeHead(404).end(),
      '/to': () => response.writeHead(302, { location: '/gzip' }).end(),
      '/to-plain': () => response.writeHead(302, { location: `http://169.254.169.254/` }).end(),
      '/gzip': () =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('packed')),
      '/large': () => response.end(Buffer.alloc(2_000_000)),
      '/silent': () => undefined,
      '/half': () => void response.writeHead(200).write('half'),
      '/cut': () => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('half')
        setImmediate(() =>
          version === '2.0' ? response.stream.close(2) : response.socket.destroy(),
        )
      },
    }
    routes[request.url ?? '']?.()
  })
  await listening(server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: portOf(server), asked, sockets }
}

async function listening(server: Server | Http2SecureServer) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

const portOf = (server: Server | Http2SecureServer) => (server.address() as AddressInfo).port

function fetcherFor(
  t: { after(end: () => unknown): void },
  allow: string[],
  more = {},
  clock = systemClock,
) {
  const fetcher = createFetcher(
    { ...fetchDefaults, hostDelayMs: 0, packedBytesMax: 1_000_000, ...more, allow },
    clock,
    { lookup: async () => ['127.0.0.1'] },
  )
  t.after(() => fetcher.stop())
  return fetcher
}

for (const version of versions)
  test(`over HTTP/${version} pages are fetched, bounded, and redirects judged`, async (t) => {
    const { port, asked } = await startSecure(t, version)
    const fetcher = fetcherFor(t, [`good.example:${port}`])
    const fetch = (path: string) => fetcher.fetch(`https://good.example:${port}${path}`, never)

    const outcomes = [
      await fetch('/to'),
      await fetch('/to-plain'),
      await fetch('/large'),
      await fetch('/cut'),
    ]

    assert.deepEqual(
      [textOf(outcomes[0] as FetchOutcome), ...outcomes.slice(1).map(codeOf)],
      ['packed', 'ADDRESS_REFUSED', 'PAGE_TOO_LARGE', 'HOST_FAILED'],
    )
    assert.deepEqual(new Set(asked), new Set([`${version} good.example:${port}`]))
  })

for (const version of versions)
  test(`a connection of HTTP/${version} is for the name that it was opened for, whatever its certificate says`, async (t) => {
    const { port, asked } = await startSecure(t, version)
    const fetcher = fetcherFor(t, [`good.example:${port}`])

    const good = await fetcher.fetch(`https://good.example:${port}/gzip`, never)
    const evil = await fetcher.fetch(`https://evil.example:${port}/gzip`, never)

    assert.deepEqual([codeOf(good), codeOf(evil)], ['page', 'ADDRESS_REFUSED'])
    assert.ok(asked.every((line) => line.endsWith(`good.example:${port}`)))
  })

test('a certificate of another name is not accepted', async (t) => {
  const { port } = await startSecure(t, '1.1')
  const fetcher = fetcherFor(t, [`127.0.0.1:${port}`], { robots: false })

  const other = await fetcher.fetch(`https://other.example:${port}/gzip`, never)
  const address = await fetcher.fetch(`https://127.0.0.1:${port}/gzip`, never)

  assert.deepEqual([codeOf(other), codeOf(address)], ['HOST_FAILED', 'page'])
})

for (const path of ['/silent', '/half'])
  test(`over HTTP/2 ${path} ends by the deadline of the whole`, async (t) => {
    const { port, asked } = await startSecure(t, '2.0')
    const clock = createManualClock()
    const fetcher = fetcherFor(
      t,
      [`good.example:${port}`],
      { robots: false, totalMs: 5_000 },
      clock,
    )

    const running = fetcher.fetch(`https://good.example:${port}${path}`, never)
    await until('the request', () => asked.length > 0)
    await clock.advance(5_000)

    assert.equal(codeOf(await running), 'FETCH_TIMEOUT')
  })

test('who answers no handshake of TLS is given up', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.resume()))
  await listening(server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const fetcher = fetcherFor(t, ['127.0.0.1'], { robots: false, connectMs: 300 })

  const outcome = await fetcher.fetch(`https://good.example:${portOf(server)}/`, never)

  assert.equal(codeOf(outcome), 'FETCH_TIMEOUT')
})

for (const version of versions)
  test(`a connection of HTTP/${version} that nobody uses is closed`, async (t) => {
    const { port, sockets } = await startSecure(t, version)
    const fetcher = fetcherFor(t, [`good.example:${port}`])

    await fetcher.fetch(`https://good.example:${port}/gzip`, never)

    await until('the end of it', () => [...sockets].every(({ destroyed }) => destroyed))
  })
