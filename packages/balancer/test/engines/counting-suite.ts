import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../until.ts'
import { ask, openRaw } from './client.ts'
import { planOf } from './plans.ts'
import { startTcpReplica } from './replica.ts'
import { type EngineSubject, plansOf, replicas, run, spread } from './running.ts'

/** What the engine tells of its work, and listeners beyond plain HTTP. */
export function countingSuite(subject: EngineSubject): void {
  test('counts requests and statuses by replica', async (t) => {
    const list = await replicas(t, 'a', 'b')
    const { engine, port } = await run(t, subject, planOf(plansOf(list)))
    await spread(port, 6)
    await ask(port, '/status/404')
    await ask(port, '/status/500')

    await until('all are counted', async () => {
      const stats = await engine.stats()
      const counts = stats.services[0]?.replicas.map(({ requestsTotal }) => requestsTotal)
      return counts?.join() === '4,4'
    })

    const { replicas: counted = [] } = (await engine.stats()).services[0] ?? {}
    const sums = [2, 4, 5].map((digit) =>
      counted.reduce((sum, { statusTotal }) => sum + (statusTotal[digit] ?? 0), 0),
    )
    assert.deepEqual(sums, [6, 1, 1])
    assert.ok(counted.every(({ bytesOutTotal }) => bytesOutTotal > 100))
  })

  test('serves TCP, and asks another replica where one is dead', async (t) => {
    const list = await Promise.all([startTcpReplica('one'), startTcpReplica('two')])
    t.after(() => Promise.all(list.map((replica) => replica.stop())))
    const tcp = { protocol: 'tcp', service: 'web', routes: [] } as const
    const { port } = await run(t, subject, planOf(plansOf(list), {}, tcp))
    const talk = async () => {
      const raw = await openRaw(port, 'ping')
      await until('the echo', () => raw.text.endsWith('ping'))
      raw.socket.destroy()
      return raw.text.split('\n')[0]
    }
    const names = new Set([await talk(), await talk(), await talk(), await talk()])
    assert.deepEqual([...names].sort(), ['one', 'two'])

    await list[0]?.stop()

    for (let round = 0; round < 4; round++) assert.equal(await talk(), 'two')
  })

  test('learns the client from PROXY protocol', async (t) => {
    const list = await replicas(t, 'a')
    const { port } = await run(t, subject, planOf(plansOf(list), {}, { acceptProxyProtocol: true }))

    const raw = await openRaw(
      port,
      'PROXY TCP4 7.7.7.7 127.0.0.1 1234 80\r\nGET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    )

    await until('the answer', () => raw.closed)
    assert.match(raw.text, /"x-forwarded-for":"7\.7\.7\.7"/)
  })

  test('writes a line of JSON for each request', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'drover-test-'))
    t.after(() => rm(folder, { recursive: true }))
    const accessLogFile = join(folder, 'access.log')
    const list = await replicas(t, 'a')
    const plan = { ...planOf(plansOf(list)), accessLogFile }
    const { port } = await run(t, subject, plan)

    await ask(port, '/status/404?q="\\', { headers: { host: 'shop.test' } })
    await ask(port, '/')

    const lines = async () => (await readFile(accessLogFile, 'utf8').catch(() => '')).split('\n')
    await until('both are written', async () => (await lines()).length === 3)
    const [first, second] = (await lines()).slice(0, 2).map((line) => JSON.parse(line))
    assert.equal(first.method, 'GET')
    assert.equal(first.host, 'shop.test')
    assert.match(first.target, /^\/status\/404\?q=/)
    assert.equal(first.client, '127.0.0.1')
    assert.deepEqual([first.status, second.status], [404, 200])
    assert.ok(Number.isFinite(second.durationMs) && second.bytesOut > 0)
  })
}
