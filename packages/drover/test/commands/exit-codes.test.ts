import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@drover/kernel'
import { CommanderError } from 'commander'
import { exitCodeOf, messageOf } from '../../src/commands/exit-codes.ts'

const faultOf = (retry: 'now' | 'later' | 'never', code = 'ANY') =>
  new Fault(code, { status: 500, retry }, 'a sentence')

test('a fault’s retry decides the exit code', () => {
  assert.equal(exitCodeOf(faultOf('never')), 1)
  assert.equal(exitCodeOf(faultOf('later')), 69)
  assert.equal(exitCodeOf(faultOf('now')), 75)
  assert.equal(exitCodeOf(faultOf('never', 'CONFIG_INVALID')), 2)
  assert.equal(exitCodeOf(new CommanderError(1, 'commander.unknownOption', '')), 2)
  assert.equal(exitCodeOf(new CommanderError(0, 'commander.helpDisplayed', '')), 0)
  assert.equal(exitCodeOf(new TypeError('a mistake')), 70)
})

test('a name on the command line that nothing has is wrong input, wherever it is looked up', () => {
  const codes = ['UNKNOWN_SERVICE', 'UNKNOWN_REPLICA', 'REPLICA_UNKNOWN', 'POLICY_UNKNOWN']
  for (const code of [...codes, 'TOPIC_UNKNOWN', 'PARTITION_UNKNOWN', 'BROKER_UNKNOWN'])
    assert.equal(exitCodeOf(faultOf('never', code)), 2, code)
})

test('a fault is a sentence, a mistake shows where it was made', () => {
  assert.equal(messageOf(faultOf('never')), 'a sentence')
  assert.match(messageOf(new TypeError('a mistake')), /^unexpected: TypeError: a mistake\n +at /)
})
