import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findViolations } from './checker.ts'
import { runStorm } from './storm.ts'

const long = process.env.SEEDS !== undefined
const jobCount = long ? 10_000 : 2_000
const kills = long ? 150 : 20
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32)
const deadlineMs = long ? 3_600_000 : 240_000

test(`${jobCount} jobs end and call back while ${kills} processes are killed`, async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'drover-storm-'))
  t.after(() => rmSync(data, { recursive: true, force: true, maxRetries: 10 }))
  t.diagnostic(`SEED=${seed}`)

  const evidence = await runStorm({ seed, jobCount, kills, data, deadlineMs })

  assert.deepEqual(findViolations(evidence), [])
  assert.equal(evidence.accepted.length, jobCount)
})
