import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeError, Fault, faults, fromProblem, toProblem } from '../src/fault.ts'

const fault = faults({
  LEASE_EXPIRED: { status: 409, retry: 'never' },
  BUSY: { status: 503, retry: 'later' },
})

test('a fault carries the row of its code and keeps its cause', () => {
  const cause = new Error('disk on fire')

  const thrown = fault('BUSY', 'all 3 workers are busy', { cause })

  assert.ok(thrown instanceof Fault)
  assert.equal(thrown.status, 503)
  assert.equal(thrown.retry, 'later')
  assert.equal(thrown.cause, cause)
})

test('a code that is in no table is a mistake of the programmer', () => {
  assert.throws(() => fault('NOPE' as 'BUSY', 'x'), RangeError)
})

test('a fault crosses HTTP and comes out the same, without its cause', () => {
  const sent = fault('LEASE_EXPIRED', 'lease 7 ended 120 ms ago', { cause: new Error('secret') })

  const wire = JSON.stringify(toProblem(sent))
  const received = fromProblem(JSON.parse(wire))

  assert.ok(!wire.includes('secret'))
  assert.equal(received?.code, 'LEASE_EXPIRED')
  assert.equal(received?.status, 409)
  assert.equal(received?.retry, 'never')
  assert.equal(received?.message, 'lease 7 ended 120 ms ago')
})

test('what is no problem document of ours is not taken for one', () => {
  for (const body of [null, 'text', 7, {}, { code: 'X' }, { status: 500 }])
    assert.equal(fromProblem(body), undefined)
})

test('an error is described with all its causes', () => {
  const error = fault('BUSY', 'no room', { cause: new Error('full', { cause: 'ENOSPC' }) })

  assert.equal(describeError(error), 'BUSY: no room (full (ENOSPC))')
})
