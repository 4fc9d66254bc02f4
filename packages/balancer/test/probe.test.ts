import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createManualClock, systemClock } from '@drover/kernel'
import type { CheckModel } from '../src/model.ts'
import { defaultCheck } from '../src/options.ts'
import { createProbe, parseStatuses } from '../src/probe.ts'

const never = new AbortController().signal
const check = (given: Partial<CheckModel>): CheckModel => ({ ...defaultCheck, ...given })

const answers: Record<string, (answer: ServerResponse) => unknown> = {
  '/well': (answer) => answer.end('well'),
  '/moved': (answer) => answer.writeHead(302, { location: '/well' }).end(),
  '/broken': (answer) => answer.writeHead(500).end('oh'),
  '/trickle': (answer) => answer.write('a'),
  '/endless': (answer) => {
    const more = () => answer.write('x'.repeat(65_536), (error) => error ?? more())
    more()
  },
}

describe('against a server', () => {
  let server: Server
  let target = { host: '127.0.0.1', port: 0 }
  const paths: string[] = []

  before(async () => {
    server = createServer((request, answer) => {
      paths.push(request.url ?? '')
      answers[request.url ?? '']?.(answer)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
  })
  after(() => server.close())

  test('passes on an expected status', async () => {
    const result = await createProbe(systemClock)(target, check({ path: '/well' }), never)

    assert.equal(result.kind, 'passed')
  })

  test('fails on another status, and says which', async () => {
    const result = await createProbe(systemClock)(target, check({ path: '/broken' }), never)

    assert.deepEqual(result, {
      kind: 'failed',
      reason: 'status 500, expected 200-499',
      closed: false,
    })
  })

  test('does not follow a redirect', async () => {
    paths.length = 0
    const wanted = check({ path: '/moved', statuses: ['200'] })

    const result = await createProbe(systemClock)(target, wanted, never)

    assert.equal(result.kind, 'failed')
    assert.deepEqual(paths, ['/moved'])
  })

  test('fails when no answer comes in time', async () => {
    const clock = createManualClock()
    const asked = createProbe(clock)(target, check({ path: '/silent', timeoutMs: 700 }), never)

    await clock.advance(701)

    assert.deepEqual(await asked, {
      kind: 'failed',
      reason: 'no answer within 700 ms',
      closed: false,
    })
  })

  test('passes although the body goes on for ever', async () => {
    const result = await createProbe(systemClock)(target, check({ path: '/endless' }), never)

    assert.equal(result.kind, 'passed')
  })

  test('passes although the body stalls, and lets the connection go', async () => {
    const wanted = check({ path: '/trickle', timeoutMs: 500 })

    const result = await createProbe(systemClock)(target, wanted, never)

    assert.equal(result.kind, 'passed')
    assert.equal(await openConnections(server), 0)
  })

  test('a TCP check passes when somebody listens', async () => {
    const result = await createProbe(systemClock)(target, check({ kind: 'tcp' }), never)

    assert.equal(result.kind, 'passed')
  })
})

for (const kind of ['http', 'tcp'] as const)
  test(`a ${kind} check tells a closed port from other failures`, async () => {
    const server = createTcpServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))

    const result = await createProbe(systemClock)(
      { host: '127.0.0.1', port },
      check({ kind }),
      never,
    )

    assert.equal(result.kind, 'failed')
    assert.equal(result.kind === 'failed' && result.closed, true)
  })

test('a check is ended from outside', async () => {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const stop = new AbortController()
  const asked = createProbe(systemClock)({ host: '127.0.0.1', port }, check({}), stop.signal)

  stop.abort()

  assert.equal((await asked).kind, 'failed')
  server.close()
})

test('statuses are one or a range', () => {
  assert.deepEqual(parseStatuses('204'), [204, 204])
  assert.deepEqual(parseStatuses('200-399'), [200, 399])
  for (const wrong of ['', '20', '399-200', '600', '200-', '2xx'])
    assert.equal(parseStatuses(wrong), undefined, wrong)
})

/** Waits (at most 2 s) for the server to have no connection, and returns how many it has. */
async function openConnections(server: Server): Promise<number> {
  const count = () =>
    new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)))
  const untilMs = performance.now() + 2_000
  while ((await count()) > 0 && performance.now() < untilMs)
    await new Promise((resolve) => setImmediate(resolve))
  return count()
}
