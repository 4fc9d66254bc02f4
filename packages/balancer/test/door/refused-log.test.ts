import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, serviceOf } from './plans.ts'
import { startTimedDoor } from './running-door.ts'

test('the last refused requests are kept with their reasons, newest first, and counted', async (t) => {
  const door = await startTimedDoor(t, planOf(serviceOf([])))
  for (let round = 0; round < 150; round++) {
    const client = await door.client()
    client.send(`GET /${round} HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(1_000)}\r\nX : 1\r\n\r\n`)
    await client.untilEnded()
  }
  const last = await door.client()
  last.send('GET / HTTP/1.1\r\n\r\n')
  await last.untilEnded()

  const kept = await door.engine.refused()

  assert.ok(kept.length >= 50 && kept.length <= 100, `${kept.length}`)
  assert.deepEqual(kept[0], {
    atMs: Date.UTC(2026, 0, 1),
    listener: 'front',
    client: '127.0.0.1',
    reason: 'Host missing',
    status: 400,
    head: 'GET / HTTP/1.1\r\n\r\n',
  })
  assert.equal(kept[1]?.reason, 'blank in header name')
  assert.ok(kept[1]?.head.startsWith('GET /149 HTTP/1.1'))
  assert.equal(kept[1]?.head.length, 512)
  const { listeners } = await door.engine.stats()
  assert.deepEqual(listeners[0]?.refusedTotal, { 'blank in header name': 150, 'Host missing': 1 })
})
