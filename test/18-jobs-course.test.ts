import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type RunningDrover, runDrover, startDrover } from './harness/drover.ts'
import { copyExample, freePort } from './harness/examples.ts'
import { until } from './harness/until.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const json = { 'content-type': 'application/json' }

/** An answer as it came. */
interface Answer {
  readonly status: number
  readonly type: string
  readonly challenge: string | null
  readonly body: string
}

interface Course {
  readonly drover: RunningDrover
  readonly file: string
  readonly url: string
  ask(path: string, body?: string, headers?: Record<string, string>): Promise<Answer>
}

/** Runs examples/jobs on free ports; it may fetch from this machine, without delays. */
async function startCourse(context: TestContext): Promise<Course> {
  const folder = await copyExample('jobs', [])
  const file = join(folder, 'drover.yaml')
  const text = await readFile(file, 'utf8')
  const fetching = /--allow \S+ --host-delay \d+/
  assert.match(text, fetching)
  const [door, site, queue] = [await freePort(), await freePort(), await freePort()]
  const moved = text
    .replace(fetching, '--allow 127.0.0.1 --host-delay 0')
    .replaceAll('127.0.0.1:8000', `127.0.0.1:${door}`)
    .replaceAll('127.0.0.1:8010', `127.0.0.1:${site}`)
    .replaceAll('127.0.0.1:7171', `127.0.0.1:${queue}`)
  await writeFile(file, `${moved}\nadmin: { address: '127.0.0.1:0' }\n`)
  const drover = await startDrover(context, ['up'], { folder })
  const url = await drover.url()
  return {
    ...{ drover, file, url },
    async ask(path, body, headers = json) {
      const post = body === undefined ? {} : { method: 'POST', body, headers }
      const answer = await fetch(`${url}${path}`, { ...post, signal: AbortSignal.timeout(30_000) })
      return {
        status: answer.status,
        type: answer.headers.get('content-type') ?? '',
        challenge: answer.headers.get('www-authenticate'),
        body: await answer.text(),
      }
    },
  }
}

/** Makes an account and returns the headers of its requests. */
async function logIn({ ask }: Course, email: string): Promise<Record<string, string>> {
  const made = await ask('/users/', JSON.stringify({ email, password: 'secret' }))
  assert.deepEqual([made.status, made.body], [200, '{"message":"User created successfully"}'])
  const answer = await ask('/token', `username=${encodeURIComponent(email)}&password=secret`, form)
  const [, token] =
    /^\{"access_token":"([\w-]+\.[\w-]+\.[\w-]+)","token_type":"bearer"\}$/.exec(answer.body) ?? []
  assert.ok(token, answer.body)
  return { ...json, authorization: `Bearer ${token}` }
}

/** Asks `count` times and returns how often each replica answered. */
async function answersOf({ ask }: Course, count: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (let asked = 0; asked < count; asked++) {
    const { status, body } = await ask('/test_endpoint')
    const [, id = ''] =
      /^\{"success":true,"data":\{"id":(\d+|"\w+")\},"message":"request received\."\}$/.exec(
        body,
      ) ?? []
    assert.equal(status, 200, body)
    found[id] = (found[id] ?? 0) + 1
  }
  return found
}

async function apiReplicas({ drover }: Course) {
  const { services } = await drover.status()
  const api = services.find(({ name }) => name === 'api')
  assert.ok(api)
  return api
}

/** Changes how the API's requests are shared out. */
async function share(course: Course, lines: string): Promise<void> {
  const text = await readFile(course.file, 'utf8')
  await writeFile(course.file, text.replace(/ {4}policy: .+\n( {4}weights: .+\n)?/, `${lines}\n`))
  const { code, stderr } = await runDrover(['reload'], { cwd: course.drover.folder })
  assert.equal(code, 0, stderr)
}

test('the calls of the course, byte by byte, through the front door', async (context) => {
  const course = await startCourse(context)
  const { ask } = course
  const headers = await logIn(course, 'ann@example.org')

  const taken = await ask('/users/', '{"email":"ann@example.org","password":"other"}')
  const wrong = await ask('/token', 'username=ann%40example.org&password=wrong', form)
  assert.deepEqual([taken.status, taken.body], [400, '{"detail":"Email already registered"}'])
  assert.deepEqual(
    [wrong.status, wrong.body, wrong.challenge],
    [401, '{"detail":"Incorrect email or password"}', 'Bearer'],
  )

  for (const spelling of ['user_id', 'user_Id'])
    for (const callback of ['callback_url', 'callback']) {
      const more = `"${callback}":"http://192.0.2.1/","color":"red"`
      const body = `{"${spelling}":7,"request_url":"http://192.0.2.1/","type":1,${more}}`
      const answer = await ask('/receive_data', body, headers)
      assert.equal(answer.status, 200, answer.body)
      assert.equal(answer.type.split(';')[0], 'application/json')
      assert.match(
        answer.body,
        /^\{"success":true,"data":\{"id":(\d+|"\w+"),"job":"[0-9a-f-]{36}"\},"message":"message received"\}$/,
      )
    }
  const body = '{"user_id":7,"request_url":"http://192.0.2.1/","type":4}'
  const bad = await ask('/receive_data', body, headers)
  assert.equal(bad.status, 422)
  assert.deepEqual(JSON.parse(bad.body).detail[0].loc, ['body', 'type'])
  for (const authorization of [undefined, 'Bearer a.b.c', headers.authorization?.slice(0, -4)]) {
    const none = authorization === undefined ? json : { ...json, authorization }
    const refused = await ask('/receive_data', body, none)
    assert.deepEqual([refused.status, refused.challenge], [401, 'Bearer'])
  }
})

test('test_endpoint by round robin, 8/1/1, least connections, and with a replica down', async (context) => {
  const course = await startCourse(context)
  const headers = await logIn(course, 'ann@example.org')

  assert.deepEqual(Object.values(await answersOf(course, 9)), [3, 3, 3])

  const names = (await apiReplicas(course)).replicas.map(({ name }) => name)
  const weights = names.map((name, index) => `${name}: ${index === 0 ? 8 : 1}`).join(', ')
  await share(course, `    policy: weighted\n    weights: { ${weights} }`)
  await until('8/1/1', async () => (await apiReplicas(course)).policy === 'weighted')
  assert.deepEqual(Object.values(await answersOf(course, 20)).toSorted(byNumber), [2, 2, 16])

  await share(course, '    policy: least-connections')
  await until('least', async () => (await apiReplicas(course)).policy === 'least-connections')
  const watches = await Promise.all(
    [1, 2].map(() => fetch(`${course.url}/v1/jobs/watch`, { headers })),
  )
  const idle = await answersOf(course, 10)
  assert.equal(Object.keys(idle).length, 1, 'the one that serves no watch')
  for (const { body } of watches) await body?.cancel()
  await until('all are used again', async () => {
    const { replicas } = await apiReplicas(course)
    return replicas.every(({ inFlight }) => inFlight === 0)
  })

  await share(course, '    policy: round-robin')
  await until('round robin', async () => (await apiReplicas(course)).policy === 'round-robin')
  const [victim] = (await apiReplicas(course)).replicas
  assert.ok(victim)
  process.kill(victim.pid, 'SIGKILL')
  const left = await answersOf(course, 12)
  assert.ok(Object.keys(left).length >= 2)
  await until('it is back', async () => {
    const { replicas } = await apiReplicas(course)
    return replicas.length === 3 && replicas.every(({ state }) => state === 'ready')
  })
  assert.deepEqual(Object.values(await answersOf(course, 9)), [3, 3, 3])
})

const byNumber = (one: number, other: number) => one - other

interface Call {
  readonly id: string
  readonly body: { readonly user_id: number; readonly status: string }
}

/** A site of slow pages, some of which are not there, that takes callbacks. */
async function startSite(context: TestContext) {
  const calls: Call[] = []
  const read = async (request: IncomingMessage) => {
    let text = ''
    for await (const part of request) text += part
    return text
  }
  const site = createServer(async (request, response) => {
    if (request.method === 'POST') {
      const body = JSON.parse(await read(request))
      calls.push({ id: String(request.headers['webhook-id']), body })
      response.end('thanks')
      return
    }
    const gone = /robots.txt$|7$/.test(request.url ?? '')
    const page = '<p>See <a href="https://example.org/">this</a>.'
    setTimeout(
      () => response.writeHead(gone ? 404 : 200, { 'content-type': 'text/html' }).end(page),
      100,
    )
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    site.closeAllConnections()
    site.close()
  })
  return { calls, origin: `http://127.0.0.1:${(site.address() as AddressInfo).port}` }
}

test('no accepted job is lost when a replica, a worker and the queue are killed', async (context) => {
  const course = await startCourse(context)
  const { calls, origin } = await startSite(context)
  const headers = await logIn(course, 'ann@example.org')
  const accepted = new Map<string, number>()
  /** As a client that tries again: whatever was not accepted is not counted. */
  const submit = (number: number) =>
    until(`job ${number} is accepted`, async () => {
      const request = {
        user_id: number,
        request_url: `${origin}/${number}`,
        type: (number % 3) + 1,
      }
      const body = JSON.stringify({ ...request, callback_url: `${origin}/done` })
      const answer = await course.ask('/receive_data', body, headers).catch(() => undefined)
      if (answer?.status !== 200) return false
      accepted.set(JSON.parse(answer.body).data.job, number)
      return true
    })
  const kill = async (service: string) => {
    const { services } = await course.drover.status()
    const [victim] = services.find(({ name }) => name === service)?.replicas ?? []
    assert.ok(victim, service)
    process.kill(victim.pid, 'SIGKILL')
  }

  for (let number = 0; number < 60; number++) {
    await submit(number)
    if (number === 15) await kill('api')
    if (number === 30) await kill('workers')
    if (number === 45) await kill('queue')
  }
  const states = await until(
    'all have ended and called back',
    async () => {
      const answer = await fetch(`${course.url}/v1/jobs?limit=500`, { headers }).catch(
        () => undefined,
      )
      if (answer?.status !== 200) return false
      const { jobs } = (await answer.json()) as { jobs: { id: string; state: string }[] }
      const found = new Map(jobs.map(({ id, state }) => [id, state]))
      const done = [...accepted.keys()].every((id) => /^(done|dead)$/.test(found.get(id) ?? ''))
      return (
        done &&
        [...accepted.keys()].every((id) => calls.some((call) => call.id === `${id}.1`)) &&
        found
      )
    },
    150_000,
  )

  assert.ok(accepted.size >= 60)
  for (const [id, number] of accepted) {
    assert.equal(states.get(id), number % 10 === 7 ? 'dead' : 'done')
    const own = calls.filter((call) => call.id === `${id}.1`)
    for (const { body } of own)
      assert.deepEqual([body.user_id, body.status], [number, states.get(id)])
  }
})
