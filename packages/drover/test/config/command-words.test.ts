import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandWords } from '../../src/config/command-words.ts'

test('blanks part words, quotes and backslashes keep them together', () => {
  assert.deepEqual(commandWords('node server.js --port {port}'), [
    'node',
    'server.js',
    '--port',
    '{port}',
  ])
  assert.deepEqual(commandWords(`  sh -c 'echo "$PORT"; sleep 1' `), [
    'sh',
    '-c',
    'echo "$PORT"; sleep 1',
  ])
  assert.deepEqual(commandWords(String.raw`a\ b "c \"d\" \e" f''g`), [
    'a b',
    String.raw`c "d" \e`,
    'fg',
  ])
  assert.deepEqual(commandWords(`python -c ""`), ['python', '-c', ''])
})

test('a quote that is never closed and an empty line are refused', () => {
  assert.throws(() => commandWords(`node 'server.js`), /a ' in .* is never closed/)
  assert.throws(() => commandWords(`node "server.js`), /a " in .* is never closed/)
  assert.throws(() => commandWords('   '), /the command is empty/)
})
