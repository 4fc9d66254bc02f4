import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hasBatch, stampBatch } from '../../src/log/batch.ts'
import { decodeBatch, encodeBatch, findFlaw } from '../../src/log/record.ts'
import type { Message, QueueRecord } from '../../src/message.ts'
import { limitDefaults } from '../../src/options.ts'

const header = fc.dictionary(
  fc.string({ unit: 'grapheme', maxLength: 10 }).filter((name) => name !== '__proto__'),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  { maxKeys: 4 },
)
const message: fc.Arbitrary<Message> = fc.record(
  {
    value: fc.uint8Array({ maxLength: 300 }),
    key: fc.string({ unit: 'grapheme', maxLength: 20 }),
    headers: header,
    priority: fc.integer({ min: 0, max: 9 }),
    dueMs: fc.integer({ min: 0, max: 2 ** 45 }),
    dedupeKey: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  },
  { requiredKeys: ['value'] },
)
const messages = fc.array(message, { minLength: 1, maxLength: 20 })

describe('record', () => {
  it('gives back every message as it was', () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 0, max: 2 ** 50 }), (sent, baseOffset) => {
        const batch = encodeBatch(sent, limitDefaults)
        stampBatch(batch, { partition: 7, baseOffset, timeMs: 99, epoch: 3 })
        assert.ok(hasBatch(batch, 0))
        assert.equal(findFlaw(batch, 0, limitDefaults.messageBytesMax), undefined)
        const records: QueueRecord[] = []
        decodeBatch(batch, 0, 't', 2, 0, records)
        assert.equal(records.length, sent.length)
        for (const [index, record] of records.entries()) {
          const {
            value,
            key,
            headers = {},
            priority = 0,
            dueMs = 0,
            dedupeKey,
          } = sent[index] as Message
          assert.deepEqual(Buffer.from(record.value), Buffer.from(value))
          assert.equal(record.offset, baseOffset + index)
          const { offset, timeMs, topic, partition, value: _, ...rest } = record
          assert.deepEqual(
            { ...rest, headers: { ...rest.headers } },
            { key, headers: { ...headers }, priority, dueMs, dedupeKey },
          )
        }
      }),
    )
  })

  it('tells every batch with a changed byte from a whole one', () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, at, mask) => {
        const batch = encodeBatch(sent, limitDefaults)
        const place = at % batch.length
        batch[place] = (batch[place] ?? 0) ^ mask
        assert.equal(hasBatch(batch, 0), false)
      }),
    )
  })

  it('finds the flaw in any payload that is not records, and never reads beyond it', () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.nat({ max: 255 }), (sent, at, byte) => {
        const batch = encodeBatch(sent, limitDefaults)
        batch[64 + (at % (batch.length - 64))] = byte
        if (findFlaw(batch, 0, limitDefaults.messageBytesMax) !== undefined) return
        const records: QueueRecord[] = []
        decodeBatch(batch, 0, 't', 0, 0, records)
        assert.equal(records.length, sent.length)
      }),
    )
  })

  it('holds zeros for no batch at all', () => {
    assert.equal(hasBatch(Buffer.alloc(4_096), 0), false)
  })
})
