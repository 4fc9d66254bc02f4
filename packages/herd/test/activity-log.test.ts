import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
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

test('many pieces are written whole and in order, and used again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-herd-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'log')
  const log = new ActivityLog({ file, clock: systemClock })
  const lines = 20_000
  for (let line = 0; line < lines; line++) {
    const bytes = Buffer.from(`${line} says ${'"'.repeat(line % 50)}`)
    log.exchange(line, 7, bytes, 0, bytes.length, bytes, 0, bytes.length)
    if (line % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await log.close()

  const entries = readFileSync(file, 'utf8').trimEnd().split('\n')
  assert.equal(entries.length, lines)
  for (const [line, entry] of entries.entries()) {
    const said = `${line} says ${'"'.repeat(line % 50)}`
    assert.deepEqual(JSON.parse(entry), { t: line, c: 7, in: said, out: said })
  }
})

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
