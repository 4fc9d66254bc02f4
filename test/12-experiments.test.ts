import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { runDrover, temporaryFolder } from './harness/drover.ts'

test('drover experiment a1 sends real requests and writes one page with figures and a chart', async () => {
  const cwd = await temporaryFolder()
  const words = ['experiment', 'a1', '--requests', '600', '--out', 'here']

  const { code, stdout, stderr } = await runDrover(words, { cwd })

  assert.equal(code, 0, stderr)
  assert.match(stdout, /600 of 600 requests were answered/)
  const counts = [...stdout.matchAll(/^Server (\d) +(\d+) /gm)].map(([, , count]) => Number(count))
  assert.equal(counts.length, 3)
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    600,
  )
  // 84 % of the ids fall on Server 1; fewer than 70 % of 600 would be a chance of less than 1 in 10^15.
  assert.ok((counts[0] ?? 0) > 420, stdout)
  const page = await readFile(join(cwd, 'here', 'a1.html'), 'utf8')
  assert.match(page, /<svg /)
  assert.match(page, new RegExp(`>${counts[0]}<`))
})

test('drover experiment shares finds 80 / 10 / 10, and 50 / 50 with one of three down', async () => {
  const cwd = await temporaryFolder()

  const { code, stdout, stderr } = await runDrover(['experiment', 'shares'], { cwd })

  assert.equal(code, 0, stderr)
  assert.match(stdout, /weighted 8, 1, 1: 80 \/ 10 \/ 10,/)
  assert.match(stdout, /one of three down: 50 \/ 50 \/ 0,/)
})
