import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createReadStream, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '@drover/kernel'
import { ActivityLog } from '../src/server/activity-log.ts'

/** Writes so many events that a file of 64 KiB would be rotated several times. */
async function fill(file: string): Promise<void> {
  const log = new ActivityLog({ file, clock: systemClock, fileBytesMax: 65_536, olderFilesMax: 2 })
  for (let count = 0; count < 40; count++) {
    for (let line = 0; line < 100; line++) log.event('test', { text: 'x'.repeat(60), line })
    await new Promise((resolve) => setImmediate(resolve))
  }
  await log.close()
}

test('a file is rotated when it is full; a pipe or a device is left as it is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-herd-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  let bytes = 0
  const reader = createReadStream(pipe).on('data', (piece) => {
    bytes += piece.length
  })

  await fill(join(folder, 'file'))
  await fill(pipe)
  reader.destroy()

  const files = readdirSync(folder)
  assert.ok(files.includes('file.1'), files.join())
  assert.deepEqual(
    files.filter((name) => name.startsWith('pipe')),
    ['pipe'],
  )
  assert.ok(statSync(pipe).isFIFO())
  assert.ok(bytes > 65_536, `${bytes}`)
})
