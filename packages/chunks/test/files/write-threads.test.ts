import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { WriteThreads } from '../../src/files/write-threads.ts'
import { later, makeFolder } from '../local.ts'

const fileBytes = 256 * 2 ** 30

test('a chunk that takes minutes is given up at once when the signal says so', async (t) => {
  const fd = openSync(join(makeFolder(t), 'sparse'), 'w+')
  later(t, () => closeSync(fd))
  ftruncateSync(fd, fileBytes)
  const abort = new AbortController()
  const threads = new WriteThreads(fileBytes, 2 ** 20, abort.signal)
  later(t, () => threads.stop())
  const [starts, ends] = [Float64Array.of(0), Float64Array.of(fileBytes)]
  const around = { before: new Uint8Array(), after: new Uint8Array(), isFirst: true }
  const job = { kind: 'files', fd, starts, ends, sums: true, ...around } as const

  const writing = threads.write({ ...job, folder: '/dev', names: ['null'] })
  setImmediate(() => abort.abort(new Error('ctrl-c')))

  await assert.rejects(writing, /ctrl-c/)
})
