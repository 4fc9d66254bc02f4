import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { createHttpServer, createManualClock, silentLog } from '@drover/kernel'
import { createEventStreams } from '../../src/admin/event-stream.ts'
import { createEventLog } from '../../src/event-log.ts'

function open(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject)
  })
}

test('a hundred may listen; one more is told to come later, until one of them leaves', async (context) => {
  const log = createEventLog(() => 0)
  const server = await createHttpServer({ title: 't', description: 'd', log: silentLog })
  const streams = createEventStreams(createManualClock())
  server.get('/events', (_, reply) =>
    streams.send(reply, { kept: log.since(0), follow: log.follow, idOf: ({ id }) => id }),
  )
  const url = `${await server.listen({ host: '127.0.0.1', port: 0 })}/events`
  context.after(() => server.close())

  const listeners = await Promise.all(Array.from({ length: 100 }, () => open(url)))
  const late = await open(url)
  listeners[0]?.destroy()
  let again = late
  while (again.statusCode === 503) {
    again.destroy()
    again = await open(url)
  }
  log.record({ level: 'notice', kind: 'test.thing.done', message: 'done' })
  let text = ''
  for await (const chunk of again) {
    text += chunk
    if (text.includes('done')) break
  }

  assert.ok(listeners.every(({ statusCode }) => statusCode === 200))
  assert.equal(late.statusCode, 503)
  assert.equal(again.headers['content-type'], 'text/event-stream')
  assert.match(text, /^: drover\n\nid: 1\ndata: \{"id":1,.*"message":"done"\}\n\n$/)
  for (const listener of listeners) listener.destroy()
})
