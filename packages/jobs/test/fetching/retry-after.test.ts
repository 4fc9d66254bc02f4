import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryAfterMs } from '../../src/fetching/retry-after.ts'

const nowMs = Date.UTC(2026, 0, 1)
const dayMs = 86_400_000

for (const [header, wanted] of [
  ['120', 120_000],
  [' 7 ', 7_000],
  ['0', 0],
  ['99999999999', dayMs],
  ['9'.repeat(400), dayMs],
  ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
  ['Thu Jan  1 00:00:30 2026 GMT', 30_000],
  ['Wed, 01 Jan 2025 00:00:00 GMT', 0],
  ['Fri, 01 Jan 2100 00:00:00 GMT', dayMs],
  ...['', 'soon', '-5', '1.5', '0x10', '1e3', '120, 120', '2026-01-01'].map(
    (text) => [text, undefined] as const,
  ),
  [undefined, undefined],
] as const)
  test(`"${String(header).slice(0, 40)}" asks for ${wanted} ms`, () => {
    assert.equal(retryAfterMs(header, nowMs), wanted)
  })
