import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import type { LightMyRequestResponse } from 'fastify'
import type { Stores } from '../../src/stores.ts'
import { type Hints, invalid, type Schema, valid } from './fuzz.ts'
import { replicaOf, type User } from './replica-of.ts'

interface Operation {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: 'path' | 'query' | 'header'
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema: Schema }>> }>
  >
}

interface Request {
  readonly path: Record<string, unknown>
  readonly query: Record<string, unknown>
  readonly header: Record<string, unknown>
  readonly body: unknown
}

const form = 'application/x-www-form-urlencoded'

/** What computes hashes of passwords costs 30 ms and more each time. */
const slow = new Set(['/users/', '/token', '/v1/tokens', '/v1/me/password', '/v1/setup'])

/**
 * Asks every operation of the API's own OpenAPI document for right and for wrong things: nothing is
 * answered by 5xx, every answer is as the document says, and what is wrong is named. `SEED` repeats a
 * run, `RUNS` sets how many requests of each kind an operation gets.
 */
export async function fuzzApi(location?: string): Promise<void> {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  const runs = Number(process.env.RUNS ?? 40)
  const api = { unfinishedMax: 50, perMinuteMax: 0, schedulesMax: 20, batchMax: 10 }
  const replica = await replicaOf(
    { after },
    { api, accounts: { throttleFirstMs: 1 }, ...(location === undefined ? {} : { location }) },
  )
  const { server, stores } = replica
  const admin = await replica.user('admin@example.org', 'admin')
  const victim = await replica.user('victim@example.org')
  const hints = await makeThings(replica, admin, victim)
  const document = (await server.inject({ url: '/openapi.json' })).json()
  const ajv = new Ajv({
    strict: false,
    formats: { 'date-time': (text) => !Number.isNaN(Date.parse(text)) },
  })

  const send = async (
    method: string,
    path: string,
    wanted: Request,
  ): Promise<LightMyRequestResponse> => {
    const isForm = path === '/token'
    const query = new URLSearchParams(
      Object.fromEntries(
        Object.entries(wanted.query).map(([name, value]) => [name, textOf(value)]),
      ),
    )
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
      encodeURIComponent(textOf(wanted.path[name])),
    )
    const headers = Object.entries(wanted.header).map(([name, value]) => [name, textOf(value)])
    const payload = wanted.body === undefined ? {} : { payload: bodyText(wanted.body, isForm) }
    return server.inject({
      ...{ method: method.toUpperCase() as 'GET', url: `${filled}?${query}`, ...payload },
      headers: {
        authorization: `Bearer ${await stores.accounts.tokens.issue(admin.id)}`,
        ...(wanted.body === undefined
          ? {}
          : { 'content-type': isForm ? form : 'application/json' }),
        ...Object.fromEntries(headers),
      },
    })
  }

  const check = (operation: Operation, answer: LightMyRequestResponse, what: string) => {
    const { statusCode, headers, body } = answer
    assert.ok(statusCode < 500, `${what}: ${statusCode} ${body}`)
    const documented =
      operation.responses[statusCode] ?? operation.responses[`${Math.floor(statusCode / 100)}XX`]
    assert.ok(documented, `${what}: ${statusCode} is not documented`)
    const media = headers['content-type']?.toString().split(';')[0] ?? ''
    const schema = documented.content?.[media]?.schema
    if (body === '' || documented.content?.['*/*']) return
    assert.ok(schema, `${what}: ${statusCode} in ${media} is not documented`)
    const fits = ajv.validate(schema, answer.json())
    assert.ok(fits, `${what}: ${statusCode} ${body} ${ajv.errorsText()}`)
  }

  for (const [path, methods] of Object.entries<Record<string, Operation>>(document.paths))
    for (const [method, operation] of Object.entries(methods)) {
      // Its answer has no end; it has tests of its own.
      if (path === '/v1/jobs/watch') continue
      const name = `${method.toUpperCase()} ${path}`
      const numRuns = slow.has(path) ? Math.min(8, runs) : runs
      const parameters = { seed, numRuns }
      test(`${name}: what fits is answered as documented (SEED=${seed})`, () =>
        fc.assert(
          fc.asyncProperty(requestOf(operation, hints), async (request) => {
            check(operation, await send(method, path, request), name)
          }),
          parameters,
        ))
      const body = bodyOf(operation)
      if (!body) continue
      test(`${name}: a wrong body is refused and named (SEED=${seed})`, () =>
        fc.assert(
          fc.asyncProperty(
            requestOf(operation, hints),
            invalid(body, hints),
            async (request, { value, field }) => {
              const answer = await send(method, path, { ...request, body: value })
              check(operation, answer, name)
              // A form has nothing but texts.
              if (path === '/token' && (field === undefined || field in (value as object))) return
              const said = `${name} ${JSON.stringify(value)}: ${answer.statusCode} ${answer.body}`
              assert.ok([400, 422].includes(answer.statusCode), said)
              if (field !== undefined) assert.ok(names(answer, field), said)
            },
          ),
          parameters,
        ))
    }

  test(`what is no JSON at all is refused (SEED=${seed})`, async () => {
    const texts = ['{', '[1,', 'nul', '\0', '{"a":1}}', '"', '{"__proto__":{"x":1}}']
    for (const [path, methods] of Object.entries<Record<string, Operation>>(document.paths)) {
      if (!methods.post || !bodyOf(methods.post) || path === '/token') continue
      for (const payload of texts) {
        const authorization = `Bearer ${await stores.accounts.tokens.issue(admin.id)}`
        const headers = { 'content-type': 'application/json', authorization }
        const url = path.replace('{id}', victim.id)
        const answer = await server.inject({ method: 'POST', url, payload, headers })
        check(methods.post, answer, `POST ${path} ${payload}`)
        assert.ok([400, 422].includes(answer.statusCode), `${path} ${payload}: ${answer.body}`)
      }
    }
  })
}

/** Makes one of each thing that there may be, and returns their names. */
async function makeThings(
  { ask, record, stores }: Awaited<ReturnType<typeof replicaOf>>,
  admin: User,
  victim: User,
): Promise<Hints> {
  const url = 'http://site.example/a'
  const jobs = [1, 2, 3].map((type) => ({ url, type, callbackUrl: 'http://me.example/' }))
  const { batch, ids } = (await ask(admin, 'POST', '/v1/batches', { jobs })).json()
  await record()
  const cron = '*/5 * * * *'
  const made = await ask(admin, 'POST', '/v1/schedules', { cron, job: { url, type: 1 } })
  await recordOfSchedule(stores, ids[0], made.json().id)
  const [published] = await stores.claims.claimWaiting(3, 1, 60_000)
  assert.ok(published)
  const claimed = await stores.claims.begin(published.id, 1, 60_000)
  assert.ok(claimed)
  const content = await stores.jobs.keepContent('{}')
  const result = {
    url,
    status: 200,
    contentType: 'application/json',
    bytes: 2,
    facts: { links: 3 },
  }
  const done = {
    kind: 'done',
    contentHash: content,
    result: { ...result, etag: undefined, lastModified: 'x' },
  } as const
  const delivery = { id: `${claimed.job.id}.1`, url, body: '{}' }
  assert.ok(await stores.claims.finish(claimed, done, delivery))
  return {
    id: [...ids, batch, victim.id, made.json().id, delivery.id],
    batch: [batch, 'no-such-batch'],
    job: ids,
    url: [url, 'https://example.org/?q=1#x', 'ftp://example.org/', 'http://[::1]/', 'http://'],
    request_url: [url, 'http://'],
    callback_url: ['http://me.example/done', 'x'],
    callbackUrl: ['http://me.example/done', 'x'],
    cron: [cron, '0 0 31 2 *', '@annually', '* * * * * *', '0 9 * * 1-5'],
    timeZone: ['UTC', 'Europe/Berlin', 'No/Where', 'Etc/GMT+5'],
    email: [victim.email, 'new@example.org', 'x', 'a\0b@example.org'],
    username: [victim.email, 'nobody@example.org', 'a\0b@example.org'],
    password: ['secret', 'x'],
    'idempotency-key': ['key', 'other key'],
  }
}

/** As if a schedule had submitted a job like that one. */
async function recordOfSchedule(stores: Stores, id: string, scheduleId: string): Promise<void> {
  const like = await stores.jobs.job(id)
  await stores.jobs.record([{ ...like, id: `${id}-again`, scheduleId }])
}

/** Whether an answer complains about the field: the course by a place, the others in words. */
function names(answer: LightMyRequestResponse, field: string): boolean {
  const { detail } = answer.json() as { detail: string | { loc: string[] }[] }
  return typeof detail === 'string'
    ? detail.includes(field)
    : detail.some(({ loc }) => loc.at(-1) === field)
}

function bodyOf(operation: Operation): Schema | undefined {
  const content = operation.requestBody?.content
  return content && Object.values(content)[0]?.schema
}

function requestOf(operation: Operation, hints: Hints): fc.Arbitrary<Request> {
  const part = (where: string) => {
    const own = (operation.parameters ?? []).filter((one) => one.in === where)
    const fields = own.map(({ name, schema }) => [name, valid(schema, hints, name)] as const)
    const requiredKeys = where === 'path' ? own.map(({ name }) => name) : []
    return fc.record(Object.fromEntries(fields), { requiredKeys, noNullPrototype: true })
  }
  const body = bodyOf(operation)
  return fc.record({
    path: part('path'),
    query: part('query'),
    // What HTTP itself does not carry never arrives.
    header: part('header').map((header) =>
      Object.fromEntries(
        Object.entries(header).filter(([, value]) =>
          /^[\x21-\x7e][\x20-\x7e]*$/.test(textOf(value)),
        ),
      ),
    ),
    body: body ? valid(body, hints) : fc.constant(undefined),
  })
}

function bodyText(body: unknown, isForm: boolean): string {
  if (!isForm || typeof body !== 'object' || body === null) return JSON.stringify(body)
  const fields = Object.entries(body).map(([name, value]) => [name, textOf(value)] as const)
  return new URLSearchParams(Object.fromEntries(fields)).toString()
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
