import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runDrover, temporaryFolder } from './harness/drover.ts'
import { spawnBeside } from './harness/processes.ts'
import { bin } from './harness/project.ts'

/** Runs `drover jobs serve` as one process; returns its URL. */
async function serve(context: TestContext, folder: string): Promise<string> {
  const words = ['jobs', 'serve', '--listen', '127.0.0.1:0', '--data', join(folder, 'jobs')]
  const line = [bin, ...words, '--allow', '127.0.0.1', '--host-delay', '0']
  const { says } = spawnBeside(context, process.execPath, line, { cwd: folder })
  const [, url = ''] = await says('the API listens', /jobs: (http:\S+),/)
  return url
}

/** A site on which every path with a 7 is missing. */
async function startSite(context: TestContext): Promise<string> {
  const site = createServer((request, response) => {
    const isGone = /7|robots/.test(request.url ?? '')
    response.writeHead(isGone ? 404 : 200, { 'content-type': 'text/html' })
    response.end(`<p>This is ${request.url}`)
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    site.closeAllConnections()
    site.close()
  })
  return `http://127.0.0.1:${(site.address() as AddressInfo).port}`
}

test('people log in once, submit, watch, list, retry, cancel and read results by commands', async (context) => {
  const folder = await temporaryFolder()
  const url = await serve(context, folder)
  const site = await startSite(context)
  const env = { XDG_CONFIG_HOME: join(folder, 'config'), DROVER_JOBS_URL: url }
  const jobs = (...words: string[]) => runDrover(['jobs', ...words], { cwd: folder, env })
  const withPassword = { cwd: folder, env: { ...env, DROVER_JOBS_PASSWORD: 'secret' } }

  const stranger = await jobs('list')
  assert.equal(stranger.code, 2)
  assert.match(stranger.stderr, /nobody is logged in at .*: drover jobs login EMAIL --url /)

  const words = ['jobs', 'login', '--register', 'ann@example.org']
  const login = await runDrover(words, withPassword)
  const again = await runDrover(words, withPassword)
  const file = join(folder, 'config', 'drover', 'jobs.json')
  assert.equal(login.code, 0, login.stderr)
  assert.match(again.stderr, /Email already registered/)
  assert.equal((await stat(file)).mode & 0o777, 0o600)

  const list = join(folder, 'urls.txt')
  await writeFile(list, `# pages\n${site}/1\n\n${site}/7\n`)
  const options = ['--attempts', '1', '--priority', '3', '--watch']
  const submitted = await jobs('submit', '--file', list, `${site}/2`, ...options)
  assert.equal(submitted.code, 1)
  assert.match(submitted.stderr, /1 of 3 jobs did not end well/)
  const idOf = (path: string) =>
    new RegExp(`^(\\S+)  1  \\w+  ${site}${path}`, 'm').exec(submitted.stdout)?.[1] ?? ''
  const result = await jobs('result', idOf('/2'))
  assert.match(result.stdout, /This is \/2/)

  const dead = await jobs('list', '--state', 'dead')
  assert.match(dead.stdout, new RegExp(`${idOf('/7')} .*dead.*answered 404`))
  const retried = await jobs('retry', '--dead')
  assert.equal(retried.stdout, '1 jobs start again\n')
  const early = await jobs('retry', 'no-such-job')
  assert.equal(early.code, 1)
  assert.match(early.stderr, /there is no job no-such-job/)

  const later = await jobs('submit', '--delay', '1h', `${site}/3`, `${site}/4`)
  const batch = /^batch (\S+)/.exec(later.stdout)?.[1] ?? ''
  assert.equal((await jobs('cancel', '--batch', batch)).stdout, '2 jobs cancelled\n')
  assert.match((await jobs('watch', batch)).stdout, /cancelled/)

  await jobs('logout')
  await assert.rejects(stat(file), { code: 'ENOENT' })
  const wrong = await jobs('list', '--token', 'nonsense')
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /not valid any more: drover jobs login/)
})
