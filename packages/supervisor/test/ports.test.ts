import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { seededRandom } from '@drover/kernel'
import { createPorts, isTaken } from '../src/ports.ts'

test('no port is given twice while it is in use, nor one that somebody listens on', async () => {
  const first = await createPorts(seededRandom(5)).take()
  const holder = createServer().listen(first, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  assert.equal(await isTaken(first), true)

  // The same seed draws the same ports: the first is taken by a stranger, then each by a replica.
  const ports = createPorts(seededRandom(5))
  const given = await Promise.all(Array.from({ length: 20 }, () => ports.take()))

  assert.equal(new Set(given).size, 20)
  assert.ok(!given.includes(first))
  holder.close()
})
