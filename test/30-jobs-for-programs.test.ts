import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runDrover, temporaryFolder } from './harness/drover.ts'
import { spawnBeside } from './harness/processes.ts'
import { bin } from './harness/project.ts'
import { until } from './harness/until.ts'

/** Runs the service and logs somebody in; returns what calls the commands. */
async function loggedIn(context: TestContext) {
  const folder = await temporaryFolder()
  const words = ['jobs', 'serve', '--listen', '127.0.0.1:0', '--data', join(folder, 'jobs')]
  const { says } = spawnBeside(context, process.execPath, [bin, ...words], { cwd: folder })
  const [, url = ''] = await says('the API listens', /jobs: (http:\S+),/)
  const env = { XDG_CONFIG_HOME: join(folder, 'config'), DROVER_JOBS_URL: url }
  const jobs = (...words: string[]) => runDrover(['jobs', ...words], { cwd: folder, env })
  const withPassword = { cwd: folder, env: { ...env, DROVER_JOBS_PASSWORD: 'secret' } }
  await runDrover(['jobs', 'login', '--register', 'ann@example.org'], withPassword)
  return { jobs, url, file: join(folder, 'config', 'drover', 'jobs.json') }
}

test('a page is submitted again and again by a schedule, which rests, goes on and ends', async (context) => {
  const { jobs } = await loggedIn(context)
  const page = 'http://192.0.2.1/'

  const zone = ['--time-zone', 'Europe/Berlin', '--priority', '3']
  const added = await jobs('add-schedule', '0 9 * * 1-5', page, ...zone)
  const [id = ''] = added.stdout.split(' ')
  const wrong = await jobs('add-schedule', '0 9 * *', page)
  const listed = await jobs('schedules')
  const rests = JSON.parse((await jobs('pause-schedule', id, '--json')).stdout)
  const resting = await jobs('schedules')
  const goesOn = JSON.parse((await jobs('resume-schedule', id, '--json')).stdout)
  const gone = await jobs('remove-schedule', id)
  const again = await jobs('remove-schedule', id)

  assert.equal(added.code, 0, added.stderr)
  assert.match(listed.stdout, new RegExp(`^${id}  0 9 .* Europe/Berlin  20.*Z  1 +${page}$`, 'm'))
  assert.deepEqual([rests.paused, goesOn.paused], [true, false])
  assert.equal(goesOn.job.priority, 3)
  assert.match(resting.stdout, /Berlin {2}rests/)
  assert.equal(gone.stdout, `${id} is gone\n`)
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /"0 9 \* \*" has 4 fields/)
  assert.match(again.stderr, /there is no schedule/)
})

test('what programs read is one JSON object a line, however many jobs there are', async (context) => {
  const { jobs } = await loggedIn(context)
  const linesOf = ({ stdout, stderr }: { stdout: string; stderr: string }) => {
    assert.equal(stderr, '')
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  const pages = Array.from({ length: 520 }, (_, index) => `http://192.0.2.1/${index}`)

  const [{ batch, ids }] = linesOf(await jobs('submit', '--delay', '1h', '--json', ...pages))
  await until('all are recorded', async () => {
    const listed = await jobs('list', '--limit', '1000', '--batch', batch, '--json')
    return listed.stdout !== '' && linesOf(listed).length === 520
  })
  const all = linesOf(await jobs('list', '--limit', '510', '--json'))
  const ended = linesOf(await jobs('cancel', ids[0], '--json'))
  await jobs('cancel', '--batch', batch)
  const watched = linesOf(await jobs('watch', batch, '--json'))

  assert.equal(ids.length, 520)
  assert.equal(new Set(all.map(({ id }) => id)).size, 510)
  assert.deepEqual(
    ended.map(({ state }) => state),
    ['cancelled'],
  )
  assert.equal(new Set(watched.map(({ id }) => id)).size, 520)
})

test('words that contradict each other, or are none there are, are wrong input', async (context) => {
  const { jobs, url } = await loggedIn(context)
  const other = createServer((_request, response) => response.end('hello'))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  context.after(() => other.close())
  const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`

  for (const [words, said] of [
    [['cancel', 'some', '--batch', 'some'], /not both/],
    [['retry', 'some', '--dead'], /not both/],
    [['retry', '--batch', 'some'], /--batch: goes with --dead/],
    [['list', '--state', 'deadish'], /Allowed choices are delayed, .*dead/],
    [['list', '--url', 'ftp://example.org'], /--url: expected an address/],
    [['serve', '--workers', '3'], /--workers: goes with --replicas/],
    [['serve', '--allow', '300.1.1.1/99'], /--allow: "300.1.1.1\/99" is no range/],
  ] as const) {
    const { code, stderr } = await jobs(...words)
    assert.equal(code, 2, `${words}: ${stderr}`)
    assert.match(stderr, said)
  }
  const nobody = await jobs('list', '--url', 'http://127.0.0.1:1', '--token', 'x')
  const stranger = await jobs('list', '--url', elsewhere, '--token', 'x')
  assert.deepEqual([nobody.code, stranger.code], [69, 69], url)
  assert.match(stranger.stderr, /what answers at .* is no jobs API/)
})

test('commands at one moment renew a token once, and logging out ends it at the service', async (context) => {
  const { jobs, url, file } = await loggedIn(context)
  const kept = JSON.parse(await readFile(file, 'utf8'))
  const { refreshToken } = kept[url]
  await writeFile(file, JSON.stringify({ [url]: { accessToken: 'over', refreshToken } }))

  const lists = await Promise.all([1, 2, 3, 4].map(() => jobs('list')))
  const fresh = JSON.parse(await readFile(file, 'utf8'))[url]
  const out = await jobs('logout')
  const answers = await Promise.all([
    fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${fresh.accessToken}` } }),
    fetch(`${url}/v1/tokens/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refreshToken: fresh.refreshToken }),
    }),
  ])

  for (const { code, stderr } of lists) assert.equal(code, 0, stderr)
  assert.notEqual(fresh.refreshToken, refreshToken)
  assert.deepEqual([out.code, out.stderr], [0, ''])
  for (const { status } of answers) assert.equal(status, 401)
})
