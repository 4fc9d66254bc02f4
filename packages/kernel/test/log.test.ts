import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLog } from '../src/log.ts'

test('lines are JSON, name their part, and hide secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-log-'))
  const file = join(folder, 'deep', 'door.log')
  const log = createLog('door', { file })

  log.child({ replica: 'Server 1' }).info({ user: { password: 'hunter2' } }, 'hello')
  log.debug('not written at level info')

  const text = readFileSync(file, 'utf8')
  const line = JSON.parse(text)
  assert.equal(line.part, 'door')
  assert.equal(line.replica, 'Server 1')
  assert.equal(line.msg, 'hello')
  assert.ok(!text.includes('hunter2'))
  assert.equal(text.trim().split('\n').length, 1)
  rmSync(folder, { recursive: true })
})
