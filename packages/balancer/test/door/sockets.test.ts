import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { connectReading } from '../../src/door/sockets.ts'
import { until } from '../until.ts'
import { startUpstream } from './upstream.ts'

/** Whether Nagle's algorithm is off, as node itself remembers it. */
function isWithoutDelay(socket: Socket): unknown {
  const [flag] = Object.getOwnPropertySymbols(socket).filter(
    ({ description }) => description === 'kSetNoDelay',
  )
  assert.ok(flag, 'node keeps this elsewhere now')
  return (socket as unknown as Record<symbol, unknown>)[flag]
}

// With it, a body that came in a packet of its own waits 40 ms for an acknowledgement.
test('a connection to a replica holds no small packet back', async (t) => {
  const upstream = await startUpstream(t)

  const socket = connectReading({ port: upstream.port, host: '127.0.0.1' }, () => {})
  t.after(() => socket.destroy())
  await until('a connection', () => !socket.connecting)

  assert.equal(isWithoutDelay(socket), true)
})
