import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createManualClock, silentLog } from '@drover/kernel'
import { fault } from '../../src/errors.ts'
import { DeadLetterMover } from '../../src/manager/dead-letters.ts'
import type { QueueEngine } from '../../src/queue-engine.ts'
import type { Link } from '../../src/wire/link.ts'

const nothing: Link = { call: async () => ({ result: null, bytes: Buffer.alloc(0) }), close }
async function close() {}

describe('dead letter mover', () => {
  it('goes on when a broker dies after it was listed and before it is asked', async () => {
    const clock = createManualClock()
    const asked: string[] = []
    const dying = {
      name: 'b1',
      get link(): Link {
        asked.push('b1')
        throw fault('BROKER_UNREACHABLE', 'broker b1 is down')
      },
    }
    const brokers = () => [{ name: 'b0', link: nothing }, dying, { name: 'b2', link: last }]
    const last: Link = {
      call: (...call) => {
        asked.push('b2')
        return nothing.call(...call)
      },
      close,
    }
    const mover = new DeadLetterMover({ clock, log: silentLog, engine: {} as QueueEngine, brokers })

    await mover.start()
    // A rejection that nobody hears fails this test, as it would end the process.
    await clock.advance(250)
    await mover.stop()

    assert.deepEqual(asked, ['b1', 'b2', 'b1', 'b2'])
  })
})
