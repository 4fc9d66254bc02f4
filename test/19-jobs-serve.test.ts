import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runDrover, type Status, startDrover, temporaryFolder } from './harness/drover.ts'
import { copyExample, freePort } from './harness/examples.ts'
import { spawnBeside } from './harness/processes.ts'
import { bin } from './harness/project.ts'
import { until } from './harness/until.ts'

const admin = { username: 'boss@example.org', password: 'a secret for the test' }
const services = ['queue', 'api', 'recorder', 'publisher', 'worker', 'sender']

/** A site with pages, and the ids of the callbacks that it got. */
async function startSite(context: TestContext) {
  const called = new Set<string>()
  const server = createServer((request, response) => {
    if (request.method === 'POST') called.add(String(request.headers['webhook-id']))
    request.resume()
    if (request.url === '/robots.txt') response.writeHead(404)
    response.end('<p>a page')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { called, port, origin: `http://127.0.0.1:${port}` }
}

/** Runs `drover jobs serve --replicas 3` and resolves when it says where it is. */
async function serveJobs(context: TestContext, folder: string, port: number) {
  const words = ['jobs', 'serve', '--listen', '127.0.0.1:0', '--replicas', '3', '--data', folder]
  const line = [bin, ...words, '--host-delay', '0', '--allow', `127.0.0.1:${port}`]
  const { child, ended, output, says } = spawnBeside(context, process.execPath, line, {
    env: {
      DROVER_JOBS_ADMIN_EMAIL: admin.username,
      DROVER_JOBS_ADMIN_PASSWORD: admin.password,
    },
    lastSignal: 'SIGINT',
  })
  await says('it says where it is', /Ctrl-c stops everything/, 60_000)
  const said = output()
  const url = /^ {2}(http:\S+) +→ api$/m.exec(said)?.[1] ?? ''
  const adminUrl = /^ {2}admin +(http:[^\s,]+)/m.exec(said)?.[1] ?? ''
  const status = async () => (await (await fetch(`${adminUrl}/v1/status`)).json()) as Status
  await until('every process is ready', async () =>
    (await status()).services.every(({ available, wanted }) => available >= wanted),
  )
  return { child, ended, url, status, output }
}

async function tokenAt(url: string): Promise<string> {
  const answer = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(admin) })
  return ((await answer.json()) as { access_token: string }).access_token
}

/** The processes whose words name the folder; the one that runs this test is not among them. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return []
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder) ? [Number(name)] : []
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

async function goneFrom(folder: string, child: ChildProcess): Promise<void> {
  await until('no process is left', () => processesOf(folder).length === 0)
  assert.notEqual(child.exitCode ?? child.signalCode, null)
}

test('drover jobs serve --replicas: every process may be killed, and ctrl-c leaves nothing', async (context) => {
  const folder = await temporaryFolder()
  const site = await startSite(context)
  const jobs = await serveJobs(context, folder, site.port)
  const token = await tokenAt(jobs.url)
  const post = async (index: number) => {
    const answer = await fetch(`${jobs.url}/receive_data`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ user_id: index, request_url: `${site.origin}/${index}`, type: (index % 3) + 1 },
        callback_url: `${site.origin}/called`,
      }),
    })
    return (await answer.json()) as { success: boolean; data: { id: number; job: string } }
  }

  const answers: Awaited<ReturnType<typeof post>>[] = []
  for (let index = 0; index < 30; index++) answers.push(await post(index))
  const { services: before } = await jobs.status()
  for (const { replicas } of before) process.kill(replicas[0]?.pid ?? 0, 'SIGKILL')
  const all = () => answers.every(({ data }) => site.called.has(`${data.job}.1`))
  await until('every callback', all, 120_000)
  const pids = new Set(before.flatMap(({ replicas }) => replicas.map(({ pid }) => pid)))
  await until('each killed process has a successor', async () => {
    const { services: now } = await jobs.status()
    return now.every(
      ({ replicas, available, wanted }) =>
        available >= wanted && replicas.some(({ pid }) => !pids.has(pid)),
    )
  })
  jobs.child.kill('SIGINT')
  const code = await jobs.ended

  assert.deepEqual(before.map(({ name }) => name).toSorted(), services.toSorted())
  assert.deepEqual(new Set(answers.map(({ data }) => data.id)), new Set([1, 2, 3]))
  assert.equal(code, 0)
  const log = await readFile(join(folder, 'drover', 'drover.log'), 'utf8')
  for (const secret of [admin.password, token])
    assert.ok(!jobs.output().includes(secret) && !log.includes(secret))
  await goneFrom(folder, jobs.child)
})

test('drover jobs serve --replicas: killed without a warning it leaves no orphan, and goes on later', async (context) => {
  const folder = await temporaryFolder()
  const site = await startSite(context)
  const first = await serveJobs(context, folder, site.port)
  const token = await tokenAt(first.url)
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const job = { url: `${site.origin}/later`, type: 2, callbackUrl: `${site.origin}/called` }

  const answer = await fetch(`${first.url}/v1/jobs`, {
    ...{ method: 'POST', headers, body: JSON.stringify({ ...job, delayMs: 5_000 }) },
  })
  const { id } = (await answer.json()) as { id: string }
  first.child.kill('SIGKILL')
  await first.ended
  await goneFrom(folder, first.child)
  const second = await serveJobs(context, folder, site.port)
  await until('the callback', () => site.called.has(`${id}.1`), 60_000)
  second.child.kill('SIGTERM')
  await second.ended

  await goneFrom(folder, second.child)
})

test('examples/jobs: pages of a local site are fetched from end to end while parts are killed', async (context) => {
  const folder = await copyExample('jobs', [])
  const path = join(folder, 'drover.yaml')
  let text = await readFile(path, 'utf8')
  for (const port of [8000, 8010, 7171]) text = text.replaceAll(`${port}`, `${await freePort()}`)
  await writeFile(path, `${text}\nadmin: { address: '127.0.0.1:0' }\n`)
  const drover = await startDrover(context, ['up'], { folder })
  const [api = '', site = ''] = (await drover.status()).listeners.map(({ url }) => url)
  const account = { email: 'ann@example.org', password: 'secret' }
  const headers = { 'content-type': 'application/json' }
  await fetch(`${api}/users/`, { method: 'POST', headers, body: JSON.stringify(account) })
  const form = new URLSearchParams({ username: account.email, password: account.password })
  const login = await fetch(`${api}/token`, { method: 'POST', body: form })
  const { access_token: token } = (await login.json()) as { access_token: string }
  const env = { DROVER_JOBS_TOKEN: token }
  const pages = Array.from({ length: 20 }, (_, number) => `${site}/page/${number}`)
  const called = ['--callback', `${site}/called`]

  const submitting = runDrover(
    ['jobs', 'submit', '--url', api, '--type', '3', '--watch', ...called, ...pages],
    { cwd: folder, env },
  )
  const killed = await runDrover(['kill', 'workers', '1'], { cwd: folder })
  const submitted = await submitting
  const dead = await runDrover(['jobs', 'list', '--url', api, '--state', 'dead'], {
    cwd: folder,
    env,
  })
  const calls = await until('every callback', async () => {
    const { stdout } = await runDrover(['logs', 'site'], { cwd: folder })
    const ids = new Set(stdout.match(/called back: \S+/g))
    return ids.size === pages.length && ids
  })

  assert.equal(killed.code, 0, killed.stderr)
  assert.match(submitted.stderr, /2 of 20 jobs did not end well/)
  assert.match(dead.stdout, /\/page\/7 .*404/)
  assert.match(dead.stdout, /\/page\/13 .*robots\.txt/)
  assert.equal(calls.size, 20)
})
