import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createPostgres } from '../servers/postgres.ts'
import { createRabbit } from '../servers/rabbit.ts'
import { findViolations } from './checker.ts'
import { runStorm } from './storm.ts'

const jobCount = 10_000
const kills = 60
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32)
const deadlineMs = 1_800_000

test(`RabbitMQ and PostgreSQL: ${jobCount} jobs end and call back while processes and both servers are killed`, {
  timeout: deadlineMs,
}, async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'drover-storm-'))
  const store = await createPostgres()
  const queue = await createRabbit()
  t.after(async () => {
    await Promise.all([queue.close(), store.close()])
    rmSync(data, { recursive: true, force: true, maxRetries: 10 })
  })
  t.diagnostic(`SEED=${seed}`)
  await Promise.all([queue.start(), store.start()])

  const evidence = await runStorm({ seed, jobCount, kills, data, queue, store, deadlineMs })

  assert.deepEqual(findViolations(evidence), [])
  assert.equal(evidence.accepted.length, jobCount)
})
