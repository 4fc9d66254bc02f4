import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { TestContext } from 'node:test'
import { until } from './until.ts'

/** An answer as it came, byte by byte. */
export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly retryAfter: string | undefined
}

/** Sends one request with a body as it is. */
export function ask(method: string, url: string, body = '', type?: string): Promise<Answer> {
  const headers = {
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }),
  }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, timeout: 20_000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: text,
          retryAfter: response.headers['retry-after'],
        }),
      )
    })
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${url}: no answer`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

/** The listing of the contract, every byte of it. */
export function listing(names: readonly string[]): string {
  const list = names.map((name) => JSON.stringify(name)).join(',')
  return `{"message":{"N":${names.length},"replicas":[${list}]},"status":"successful"}`
}

function failure(message: string): string {
  return `{"message":${JSON.stringify(`<Error> ${message}`)},"status":"failure"}`
}

/** Names that /rep has now. */
export async function names(url: string): Promise<string[]> {
  const { body } = await ask('GET', `${url}/rep`)
  return JSON.parse(body).message.replicas
}

/**
 * Runs the whole contract of the "customizable load balancer" against `url`, request by request. It
 * begins with three replicas, and leaves three. HAProxy writes `/` in JSON escaped
 * (which means the same), and lets no request wait for replicas that are expected.
 */
export async function checkContract(
  context: TestContext,
  url: string,
  engine: 'builtin' | 'haproxy' = 'builtin',
): Promise<void> {
  await context.test('GET /rep lists the first three', async () => {
    const { status, type, body } = await ask('GET', `${url}/rep`)

    assert.equal(status, 200)
    assert.match(type, /^application\/json/)
    assert.equal(body, listing(['Server 1', 'Server 2', 'Server 3']))
  })

  await context.test('GET /home says who answers, GET /heartbeat nothing', async () => {
    const home = await ask('GET', `${url}/home`)
    const heartbeat = await ask('GET', `${url}/heartbeat`)

    assert.equal(home.status, 200)
    assert.match(home.body, /^\{"message":"Hello from Server: [123]","status":"successful"\}$/)
    assert.deepEqual([heartbeat.status, heartbeat.body], [200, ''])
  })

  await context.test('a path that no replica serves is 400', async () => {
    const other = await ask('GET', `${url}/other`)
    const strange = await ask('GET', `${url}/a%22b?c=d`)

    assert.equal(other.status, 400)
    assert.match(other.type, /^application\/json/)
    const plain = (body: string) => (engine === 'haproxy' ? body.replaceAll('\\/', '/') : body)
    assert.equal(plain(other.body), failure(`'/other' endpoint does not exist in server replicas`))
    assert.equal(
      plain(strange.body),
      failure(`'/a%22b' endpoint does not exist in server replicas`),
    )
  })

  await checkAdding(context, url)
  await checkRemoving(context, url, engine)
}

async function checkAdding(context: TestContext, url: string): Promise<void> {
  const before = ['Server 1', 'Server 2', 'Server 3']
  const add = (body: string, type = json) => ask('POST', `${url}/add`, body, type)

  await context.test('POST /add refuses, and adds none', async () => {
    const refused: [body: string, message: RegExp | string, type?: string][] = [
      [
        '{"n":1,"hostnames":["S5","S4"]}',
        'Length of hostname list is more than newly added instances',
      ],
      ['{"n":0}', /not 0$/],
      ['{"n":-3}', /not -3$/],
      ['{"n":1.5}', /not 1\.5$/],
      ['{"n":"many"}', /not "many"$/],
      ['{}', /n is missing/],
      ['{"n":2,"hostnames":["S5","S5"]}', /"S5"/],
      ['{"n":1,"hostnames":["Server 1"]}', /"Server 1"/],
      ['{"n":1,"hostnames":"S5"}', /"S5"/],
      ['{"n":1,"hostnames":["a/b"]}', /"a\/b"/],
      ['{"n":', /not JSON/],
      ['n=x', /not "x"$/, form],
    ]
    for (const [body, message, type] of refused) {
      const answer = await add(body, type)
      assert.equal(answer.status, 400, body)
      assert.match(answer.type, /^application\/json/)
      const said = JSON.parse(answer.body)
      assert.deepEqual(Object.keys(said), ['message', 'status'])
      assert.equal(said.status, 'failure')
      if (typeof message === 'string') assert.equal(answer.body, failure(message))
      else assert.match(said.message, message)
      assert.ok(said.message.startsWith('<Error> '), said.message)
    }
    assert.deepEqual(await names(url), before)
  })

  await context.test('POST /add adds the named ones, and invents the other names', async () => {
    const answer = await add('{"n":3,"hostnames":["S5","S4"]}')

    const now = await names(url)
    assert.equal(answer.status, 200)
    assert.equal(answer.body, listing(now))
    assert.deepEqual(now.slice(0, 5), [...before, 'S5', 'S4'])
    assert.equal(now.length, 6)
    assert.ok(now[5]?.startsWith('Server '), now[5])
  })

  await context.test('POST /add reads forms like JSON', async () => {
    const one = await add('n=1&hostnames=S6', form)
    const two = await add('server_id=S7', form)
    const three = await add('{"n":1,"hostnames":["S8"]}', form)

    for (const { status } of [one, two, three]) assert.equal(status, 200)
    assert.deepEqual((await names(url)).slice(-3), ['S6', 'S7', 'S8'])
  })

  await context.test('a new replica answers under its name', async () => {
    await until('S5 answers', async () =>
      (await ask('GET', `${url}/home`)).body.includes('Server: S5'),
    )
  })
}

async function checkRemoving(
  context: TestContext,
  url: string,
  engine: 'builtin' | 'haproxy',
): Promise<void> {
  const remove = (body: string, method = 'DELETE', type = json) =>
    ask(method, `${url}/rm`, body, type)

  await context.test('DELETE /rm refuses, and removes none', async () => {
    const before = await names(url)
    const refused: [body: string, message: RegExp | string][] = [
      [
        '{"n":1,"hostnames":["S5","S4"]}',
        'Length of hostname list is more than removable instances',
      ],
      ['{"n":1000}', /1000/],
      ['{"n":1,"hostnames":["nobody"]}', /"nobody"/],
      ['{"n":2,"hostnames":["S5","S5"]}', /"S5"/],
      ['{"n":0}', /not 0$/],
    ]
    for (const [body, message] of refused) {
      const answer = await remove(body)
      assert.equal(answer.status, 400, body)
      if (typeof message === 'string') assert.equal(answer.body, failure(message))
      else assert.match(JSON.parse(answer.body).message, message)
    }
    assert.deepEqual(await names(url), before)
  })

  await context.test(
    'DELETE and POST /rm remove the named ones, and others at random',
    async () => {
      const first = await remove('{"n":3,"hostnames":["S5","S4"]}')
      const afterFirst = await names(url)
      const second = await remove('n=1&hostnames=S8', 'POST', form)

      assert.equal(first.status, 200)
      assert.equal(first.body, listing(afterFirst))
      assert.equal(afterFirst.length, 6)
      assert.ok(!afterFirst.includes('S5') && !afterFirst.includes('S4'))
      const wanted = afterFirst.filter((name) => name !== 'S8')
      // The third of the first removal was drawn at random, so S8 may have gone already.
      assert.equal(second.status, afterFirst.includes('S8') ? 200 : 400)
      assert.deepEqual(await names(url), wanted)
    },
  )

  await context.test('no replica alive is 503, and new ones serve again', async () => {
    const all = (await names(url)).length
    await remove(JSON.stringify({ n: all }))
    const empty = await ask('GET', `${url}/rep`)
    // The builtin engine knows at once; another is told over a socket.
    const home = await until('nobody answers', async () => {
      const answer = await ask('GET', `${url}/home`)
      return (engine === 'builtin' || answer.status !== 200) && answer
    })
    await ask('POST', `${url}/add`, '{"n":3}', json)
    const again = await until('somebody answers', async () => {
      const answer = await ask('GET', `${url}/home`)
      return (engine === 'builtin' || answer.status === 200) && answer
    })

    assert.equal(empty.body, listing([]))
    assert.equal(home.status, 503)
    assert.match(home.body, /^\{"message":"<Error> [^"]+","status":"failure"\}$/)
    assert.match(home.retryAfter ?? '', /^\d+$/)
    assert.equal(again.status, 200, 'a request waits for the replicas that are expected')
  })
}
