import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Allowance, WorkLimits } from '../../src/broker/work/key-limits.ts'
import { eachOffset, toRuns } from '../../src/broker/work/runs.ts'
import { WorkGroup } from '../../src/broker/work/work-group.ts'
import { topicDefaults } from '../../src/options.ts'

/** Leases what is chosen, as the desk does. */
function take(group: WorkGroup, count: number, end: number, nowMs: number): number[] {
  const { offsets, cursor } = group.choose(count, { start: 0, durable: end }, nowMs)
  group.applyLease(cursor, toRuns(offsets), nowMs + 1_000, [])
  return offsets
}

function doStep(group: WorkGroup, kind: string, [offset, count]: [number, number], nowMs: number) {
  const runs = [offset, offset + count]
  const steps: Record<string, () => unknown> = {
    take: () => take(group, count, 30, nowMs),
    done: () => group.applyDone(runs),
    back: () => group.applyBack([offset, nowMs]),
    cancel: () => group.applyCancel(offset),
    special: () => group.applySpecial(offset, count, nowMs),
    dead: () => group.applyDead(runs, 'why'),
    start: () => count === 0 && group.applyStart(offset),
  }
  steps[kind]?.()
}

describe('work group', () => {
  it('hands out by priority, then in order, and nothing before it is due', () => {
    const group = new WorkGroup(0)
    group.applySpecial(1, 9, 0)
    group.applySpecial(2, 0, 500)
    group.applySpecial(3, 5, 0)
    assert.deepEqual(take(group, 10, 5, 100), [1, 3, 0, 4])
    assert.deepEqual(take(group, 10, 5, 499), [])
    assert.deepEqual(take(group, 10, 5, 500), [2])
  })

  it('hands out nothing that is not durable yet', () => {
    const group = new WorkGroup(0)
    group.applySpecial(4, 9, 0)
    assert.deepEqual(take(group, 10, 3, 0), [0, 1, 2])
    assert.equal(group.hasWork({ start: 0, durable: 3 }, 0), false)
    assert.deepEqual(take(group, 10, 5, 0), [4, 3])
  })

  it('counts attempts and forgets what is done', () => {
    const group = new WorkGroup(0)
    take(group, 2, 2, 0)
    group.applyBack([0, 50])
    group.applyDone([1, 1])
    assert.equal(group.stateOf(1).state, 'done')
    assert.deepEqual(take(group, 2, 2, 49), [])
    assert.deepEqual(take(group, 2, 2, 50), [0])
    assert.equal(group.stateOf(0).attempt, 2)
    assert.deepEqual(group.late(1_049), [])
    assert.deepEqual(group.late(1_050), [0])
  })

  it('is the same after it was kept and restored, whatever was done to it', () => {
    const step = fc.record({
      kind: fc.constantFrom('take', 'done', 'back', 'cancel', 'special', 'start', 'dead'),
      offset: fc.nat({ max: 30 }),
      count: fc.nat({ max: 5 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let group = new WorkGroup(0)
        for (const [nowMs, { kind, offset, count }] of steps.entries()) {
          doStep(group, kind, [offset, count], nowMs)
          const copy = WorkGroup.restore(JSON.parse(JSON.stringify(group.keep())))
          assert.deepEqual(copy.keep(), group.keep())
          assert.equal(copy.leased, group.leased)
          group = copy
        }
        const rest = group.choose(100, { start: 0, durable: 30 }, 1_000).offsets
        assert.equal(new Set(rest).size, rest.length)
        for (const offset of rest)
          assert.ok(['waiting', 'untouched'].includes(group.stateOf(offset).state))
      }),
    )
  })

  it('turns offsets to runs and back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 200 })), (offsets) => {
        const back: number[] = []
        eachOffset(toRuns(offsets), (offset) => back.push(offset))
        assert.deepEqual(
          back,
          [...offsets].sort((one, other) => one - other),
        )
      }),
    )
  })
})

describe('work limits', () => {
  it('splits the limit over all workers among the partitions, exactly', () => {
    const options = { ...topicDefaults, partitions: 3, concurrencyMax: 10 }
    const shares = [0, 1, 2].map((index) => new WorkLimits(options, index, 0).room(0, 0))
    assert.deepEqual(shares, [4, 3, 3])
  })

  it('parks messages of a key at its limit and brings them back one by one', () => {
    const limits = new WorkLimits({ ...topicDefaults, keyConcurrencyMax: 1 }, 0, 0)
    assert.equal(limits.admit(0, 'a', 0), true)
    assert.equal(limits.admit(1, 'a', 0), false)
    assert.equal(limits.admit(2, 'a', 0), false)
    assert.equal(limits.admit(3, 'b', 0), true)
    assert.deepEqual(limits.release(0), [1])
    assert.equal(limits.admit(1, 'a', 0), true)
  })

  it('lets a rate through and no more', () => {
    const allowance = new Allowance(10, 0)
    assert.equal(allowance.available(0), 10)
    allowance.take(10)
    assert.equal(allowance.available(99), 0)
    assert.equal(allowance.available(250), 2)
    assert.equal(allowance.available(1e9), 10)
  })
})
