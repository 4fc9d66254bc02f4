import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sorted, withJob } from '../src/jobs/job-list.ts'
import type { Job } from '../src/jobs/jobs-api.ts'

const all = { state: '', type: '' }
const job = (id: string, state: string, updatedAt = '2026-01-01T00:00:05Z') =>
  ({ id, state, type: 1, addedAt: `2026-01-01T00:00:0${id}Z`, updatedAt }) as Job

test('a new job stands first, a changed one in its place', () => {
  const before = sorted([job('1', 'done'), job('2', 'waiting')])

  const after = withJob(withJob(before, job('3', 'waiting'), all), job('2', 'done'), all)

  assert.deepEqual(
    after.map(({ id, state }) => `${id} ${state}`),
    ['3 waiting', '2 done', '1 done'],
  )
})

test('news that is older than what was read changes nothing', () => {
  const before = [job('1', 'done', '2026-01-01T00:00:09Z')]

  assert.equal(withJob(before, job('1', 'working', '2026-01-01T00:00:08Z'), all), before)
})

test('a job that the filter leaves out goes, and others never come', () => {
  const waiting = { state: 'waiting', type: '1' }
  const before = [job('1', 'waiting')]

  assert.deepEqual(withJob(before, job('1', 'done'), waiting), [])
  assert.equal(withJob(before, job('2', 'done'), waiting), before)
})
