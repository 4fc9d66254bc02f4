import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { fault } from '../../src/errors.ts'
import { sequenceAt } from '../../src/log/batch.ts'
import { decodeBatch } from '../../src/log/record.ts'
import type { QueueRecord } from '../../src/message.ts'
import type { Reply } from '../../src/wire/link.ts'
import { clientOf, linkOf, reply } from './stub-broker.ts'

/** Produce calls as a broker gets them, each answered by the test. */
function produceCalls() {
  const calls: {
    values: string[]
    sequence: number
    accept: (offset: number) => void
    refuse: (error: Error) => void
  }[] = []
  const link = linkOf((_method, _params, parts = []) => {
    const records: QueueRecord[] = []
    const batch = parts[0] ?? Buffer.alloc(0)
    decodeBatch(batch, 0, 't', 0, 0, records)
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    calls.push({
      values: records.map(({ value }) => value.toString()),
      sequence: sequenceAt(batch),
      accept: (offset) => resolve(reply({ offset, repeated: false, duplicates: [] })),
      refuse: reject,
    })
    return promise
  })
  return { calls, link }
}

const message = (value: string) => [{ value: Buffer.from(value) }]

describe('sender', () => {
  it('gathers what comes within the linger time, and sends at once what is full', async () => {
    const clock = createManualClock()
    const { calls, link } = produceCalls()
    const gathering = { lingerMs: 10, batchBytes: 200 }
    const client = clientOf(['b0'], { b0: link }, clock, { gathering })

    const sends = ['one', 'two'].map((value) => client.produce('t', message(value)))
    await clock.advance(9)
    assert.equal(calls.length, 0)
    await clock.advance(1)
    assert.deepEqual(calls[0]?.values, ['one', 'two'])

    sends.push(client.produce('t', message('x'.repeat(300))))
    await clock.advance(0)
    assert.equal(calls.length, 2)
    calls[0]?.accept(0)
    calls[1]?.accept(2)
    const offsets = (await Promise.all(sends)).flat().map(({ offset }) => offset)
    assert.deepEqual(offsets, [0, 1, 2])
  })

  it('sends nothing new while failed batches are sent again, lingering or not', async () => {
    for (const lingerMs of [0, 10]) {
      const clock = createManualClock()
      const { calls, link } = produceCalls()
      const client = clientOf(['b0'], { b0: link }, clock, { gathering: { lingerMs } })

      const first = client.produce('t', message('first'))
      await clock.advance(20)
      calls[0]?.refuse(fault('BROKER_UNREACHABLE', 'gone'))
      await clock.advance(0)
      const second = client.produce('t', message('second'))
      await clock.advance(200)
      const sent = calls.map(({ values, sequence }) => [values[0], sequence])
      assert.deepEqual(sent, [
        ['first', 0],
        ['first', 0],
      ])

      calls[1]?.accept(0)
      await clock.advance(20)
      assert.deepEqual([calls[2]?.values, calls[2]?.sequence], [['second'], 1])
      calls[2]?.accept(1)
      assert.equal((await first)[0]?.offset, 0)
      assert.equal((await second)[0]?.offset, 1)
    }
  })

  it('rejects when the answer makes no sense, and goes on', async () => {
    const clock = createManualClock()
    const answers = [reply(null), reply({ offset: 7, repeated: false, duplicates: [] })]
    const link = linkOf(async () => answers.shift() ?? reply(null))
    const client = clientOf(['b0'], { b0: link }, clock)

    await assert.rejects(client.produce('t', message('lost')), TypeError)
    const [receipt] = await client.produce('t', message('kept'))

    assert.equal(receipt?.offset, 7)
  })
})
