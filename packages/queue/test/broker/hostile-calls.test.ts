import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fault } from '@drover/kernel'
import fc from 'fast-check'
import { createBrokerHandler } from '../../src/broker/requests.ts'
import { MemoryDisk } from '../../src/log/memory-disk.ts'
import { topicDefaults } from '../../src/options.ts'
import { batchOf, openBroker } from './broker-under-test.ts'

const methods = [
  ...['produce', 'fetch', 'bounds', 'commit', 'committed', 'group.fence', 'lag', 'lease'],
  ...['ack', 'nack', 'extend', 'cancel', 'peek', 'counts', 'purge', 'dead', 'bury', 'own', 'copy'],
  ...['copy.read', 'copy.append', 'fence', 'adopt', 'resume', 'drop', 'roles', 'status'],
  ...['constructor', '__proto__', 'no such thing'],
]
const names = [
  ...['id', 'ids', 'epoch', 'acks', 'from', 'bytesMax', 'group', 'offset', 'generation', 'count'],
  ...['leaseMs', 'tokens', 'options', 'target', 'offsets', 'spec', 'start', 'state', '__proto__'],
]
const spec = { id: 1, topic: 't', index: 0, epoch: 1, options: topicDefaults }
const values = fc.oneof(
  fc.constantFrom<unknown>(1, 0, -1, 2 ** 32, 2 ** 53, 1.5, null, '', 'g', '1', [], {}, true),
  fc.constantFrom<unknown>([1], ['1.0.1.g'], [null], ['../x'], 'earliest', 'latest'),
  fc.constantFrom<unknown>({ offset: 0 }, { timeMs: 0 }, { offset: 'x' }, { dedupeKey: 'k' }),
  fc.constantFrom<unknown>(spec, { ...spec, id: '1' }, { ...spec, options: {} }, { id: 1 }),
  fc.jsonValue({ maxDepth: 2 }),
)
const paramsOf = fc.oneof(
  fc.dictionary(fc.constantFrom(...names), values, { maxKeys: 6 }),
  // Mostly right, so that it comes further than the first check.
  fc
    .dictionary(fc.constantFrom(...names), values, { maxKeys: 2 })
    .map((odd) => ({ id: 1, ids: [1], group: 'g', count: 1, leaseMs: 1_000, ...odd })),
)
const bytesOf = fc.oneof(
  fc.constant(new Uint8Array()),
  fc.uint8Array({ maxLength: 200 }),
  fc.nat(80).map((at) => {
    const bytes = batchOf('x')
    bytes.writeUInt8((bytes[at % bytes.length] ?? 0) ^ 255, at % bytes.length)
    return bytes
  }),
)

describe('calls with anything in them', () => {
  it('end in an answer or a fault that says what is wrong, and leave a log that opens', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...methods), paramsOf, bytesOf), { maxLength: 40 }),
        async (calls) => {
          const disk = new MemoryDisk()
          const { broker, own, produce } = await openBroker(disk)
          await own(1)
          await produce(1, 'kept')
          const handler = createBrokerHandler(broker)
          const stop = new AbortController()
          for (const [method, params, bytes] of calls)
            try {
              await handler(method, params, Buffer.from(bytes), stop.signal)
            } catch (error) {
              assert.ok(error instanceof Fault, `${method} ${JSON.stringify(params)}: ${error}`)
            }
          await broker.stop()
          const again = await openBroker(disk)
          assert.equal(again.broker.store.damage, undefined)
          await again.own(1_000)
          assert.equal((await again.produce(1_000, 'on')).offset, 0)
          await again.broker.stop()
        },
      ),
      { numRuns: Number(process.env.FUZZ ?? 300) },
    )
  })
})
