import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastWords } from '../src/last-words.ts'

test('a stack of Node.js is told by its error, not by its end', () => {
  const lines = [
    'node:internal/modules/cjs/loader:1210',
    '  throw err;',
    '  ^',
    '',
    "Error: Cannot find module '/app/server.js'",
    '    at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15)',
    '    at node:internal/main/run_main_module:33:47 {',
    "  code: 'MODULE_NOT_FOUND',",
    '  requireStack: []',
    '}',
    '',
    'Node.js v24.21.0',
  ]
  assert.deepEqual(lastWords(lines), [
    "Error: Cannot find module '/app/server.js'",
    "  code: 'MODULE_NOT_FOUND',",
    '  requireStack: []',
  ])
})

test('errors of other runtimes are found: Python ends with it, Go begins with it', () => {
  const python = ['Traceback (most recent call last):', '  File "a.py", line 1', 'OSError: no disk']
  assert.deepEqual(lastWords(python), ['OSError: no disk'])
  const go = [
    'panic: no disk',
    '',
    'goroutine 1 [running]:',
    'main.main()',
    '\t/app/main.go:4 +0x1d',
  ]
  assert.equal(lastWords(go)[0], 'panic: no disk')
})

test('of two errors the later is told; without any, the last lines that are not blank', () => {
  assert.deepEqual(lastWords(['Error: first', 'Error: second']), ['Error: second'])
  assert.deepEqual(lastWords(['1', '2', '3', '', '4', '']), ['2', '3', '4'])
  assert.deepEqual(lastWords([]), [])
})
