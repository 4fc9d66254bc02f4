import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createManualClock } from '@drover/kernel'
import type { Link, Reply } from '../../src/wire/link.ts'
import { clientOf, linkOf, reply } from './stub-broker.ts'

const nothing = reply({ attempts: [], deadlineMs: 0 })

describe('work client', () => {
  it('waiting when one of two brokers goes down leaves no rejection that nobody hears', async () => {
    const clock = createManualClock()
    let waits = 0
    const steady = linkOf(async (method, _params, _parts, { signal } = {}) => {
      if (method !== 'wait') return nothing
      waits++
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    })
    const asked = Promise.withResolvers<Reply>()
    const links: Record<string, Link> = { b0: steady, b1: linkOf(() => asked.promise) }
    const client = clientOf(['b0', 'b1'], links, clock, { patienceMs: 100 })
    const leased = client.lease('t', { count: 1, waitMs: 500 })
    const outcome = leased.then(
      () => 'leased',
      (error: { code: string }) => error.code,
    )
    await clock.advance(1)

    // Both have nothing; when the waits are begun, the client knows already that b1 is down.
    delete links.b1
    await client.topics()
    asked.resolve(nothing)
    for (let passedMs = 0; passedMs < 2_000; passedMs += 10) await clock.advance(10)

    assert.ok(waits > 0)
    assert.equal(await outcome, 'BROKER_UNREACHABLE')
  })
})
