import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, openRaw, until } from './client.ts'
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
}
