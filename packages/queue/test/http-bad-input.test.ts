import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { silentLog } from '@drover/kernel'
import { type RunningQueue, startQueue } from '../src/start-queue.ts'

interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly type: string
}

interface Route {
  readonly method: Method
  readonly path: string
  readonly takesBody: boolean
  fill(values: Record<string, string>): string
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

const notJson = '{"messages": ['
/** Bodies that fit no route: broken, of the wrong type, with fields that nobody knows. */
const badBodies = [
  ...[notJson, 'null', '7', '"text"', '[]', '{"surprise":1}', '{"name":7}', '{"count":"many"}'],
  ...['{"tokens":[]}', '{"tokens":[7]}', '{"tokens":"x"}', '{"offset":-1}', '{"leaseMs":1e99}'],
  ...['{"messages":{}}', '{"__proto__":{"name":"x"}}', '{"sessionMs":0}', '{"options":7}'],
]
const badNames = ['%2e%2e', 'a%2fb', '%00', 'a'.repeat(250), '%ff', '.hidden', 'a%20b']
const badQueries = ['offset=-1', 'offset=x', 'waitMs=1e9', 'count=0', 'from=middle', 'nonsense=1']

describe('HTTP API under bad input', () => {
  let folder: string
  let queue: RunningQueue
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'queue-bad-'))
    const limits = { messageBytesMax: 1_000, batchBytesMax: 4_000, topicsMax: 3 }
    queue = await startQueue({
      ...{ dataFolder: folder, runBrokers: 'here', logger: silentLog, limits },
      listen: '127.0.0.1:0',
    })
    await queue.client.createTopic('t', { partitions: 1 })
    await queue.client.produce('t', [{ value: Buffer.from('kept') }])
  })
  after(async () => {
    await queue.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const call = async (method: Method, path: string, body?: string | Buffer, type?: string) => {
    const response = await fetch(`${queue.url}${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': type ?? 'application/json' },
      ...(body === undefined ? {} : { body: body as unknown as string }),
    })
    const text = await response.text()
    const known = response.headers.get('content-type') ?? ''
    const code = known.includes('json') ? JSON.parse(text).code : undefined
    return { status: response.status, code, type: known } as Answer
  }

  const refused = (answer: Answer, what: string) => {
    assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status}`)
    assert.match(answer.type, /^application\/problem\+json/, what)
    assert.match(answer.code ?? '', /^[A-Z_]+$/, what)
  }

  /** Every route that the API says it has, with its path filled in. */
  const routes = async (): Promise<Route[]> => {
    const described = await fetch(`${queue.url}/openapi.json`)
    const { paths } = (await described.json()) as {
      paths: Record<string, Record<string, { requestBody?: object; parameters?: object[] }>>
    }
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, about]) => ({
        method: method.toUpperCase() as Method,
        path,
        takesBody: about.requestBody !== undefined,
        fill: (values: Record<string, string>) =>
          path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'x'),
      })),
    )
  }
  const good = { topic: 't', partition: '0', group: 'g', member: 'm', broker: 'broker0' }

  const unchanged = async () => {
    const topics = await queue.client.topics()
    assert.deepEqual(
      topics.map(({ name, partitions }) => [name, partitions]),
      [['t', 1]],
    )
    assert.equal((await queue.client.bounds('t'))[0]?.endOffset, 1)
    assert.equal((await queue.client.brokers()).length, 1)
  }

  it('knows its routes, so that a new one is tried as well', async () => {
    const all = await routes()
    assert.ok(all.length >= 25, `${all.length} routes`)
    assert.ok(all.filter(({ takesBody }) => takesBody).length >= 10)
  })

  it('refuses bodies that fit no route', async () => {
    for (const { method, path, takesBody, fill } of await routes()) {
      if (!takesBody) continue
      const isFree = path.endsWith('/leases') || path.endsWith('/members/{member}')
      for (const body of badBodies) {
        // What is optional everywhere may be left out: an empty wish is none.
        if (isFree && body === '{"__proto__":{"name":"x"}}') continue
        refused(await call(method, fill(good), body), `${method} ${path} ${body}`)
      }
      refused(await call(method, fill(good), 'a=1', 'text/plain'), `${method} ${path} text`)
      refused(await call(method, fill(good), Buffer.from([0xff, 0xfe])), `${method} ${path} bytes`)
    }
    await unchanged()
  })

  it('refuses names that cannot be, and what is not there', async () => {
    for (const route of await routes())
      for (const name of ['topic', 'broker', 'group', 'member'])
        if (route.path.includes(`{${name}}`)) await tryNames(route, name)
    await unchanged()
  })

  const tryNames = async ({ method, path, fill }: Route, name: string) => {
    const unknown = name === 'topic' || name === 'broker' ? ['no'] : []
    for (const bad of [...badNames, ...unknown]) {
      const at = fill({ ...good, [name]: bad })
      const answer = await call(method, at, method === 'GET' ? undefined : bodyFor(path))
      // It is no mistake to ask what a group has committed that never was, or to leave it.
      const harmless = method === 'GET' ? path.includes('{group}') : path.endsWith('{member}')
      if (!(harmless && answer.status < 300)) refused(answer, `${method} ${at}`)
    }
  }

  it('refuses queries that cannot be', async () => {
    const at = '/v1/topics/t/partitions/0/messages'
    for (const query of badQueries) refused(await call('GET', `${at}?${query}`), query)
    for (const query of ['partition=9', 'partition=x', 'acks=maybe', 'producer=0', 'sequence=-1'])
      refused(await call('POST', `/v1/topics/t/messages?${query}`, bodyFor('/messages')), query)
    refused(await call('GET', '/v1/topics/t/partitions/-1/messages'), 'partition -1')
    refused(await call('GET', '/v1/topics/t/partitions/7/messages'), 'partition 7')
    refused(await call('GET', '/v1/topics/t/peek?count=1000000'), 'peek')
    await unchanged()
  })

  it('refuses what is too large and too many, and stores nothing of it', async () => {
    const post = (value: object) => call('POST', '/v1/topics/t/messages', JSON.stringify(value))
    const message = { value: 'x'.repeat(1_001) }
    assert.equal((await post({ messages: [message] })).code, 'MESSAGE_TOO_LARGE')
    const many = Array.from({ length: 10 }, () => ({ value: 'x'.repeat(900) }))
    assert.equal((await post({ messages: many })).code, 'BATCH_TOO_LARGE')
    assert.equal((await post({ messages: [{ value: 'fits' }, message] })).code, 'MESSAGE_TOO_LARGE')
    const huge = await call('POST', '/v1/topics/t/messages', `"${'x'.repeat(20_000_000)}"`)
    assert.equal(huge.status, 413)
    refused(huge, '20 MB')
    const binary = Buffer.alloc(8)
    binary.writeUInt32LE(0xffff_ffff, 0)
    const cut = await call('POST', '/v1/topics/t/messages', binary, 'application/octet-stream')
    assert.equal(cut.code, 'BATCH_INVALID')
    await unchanged()
  })

  it('refuses more topics and partitions than there may be', async () => {
    const make = (name: string, options: object = { partitions: 1 }) =>
      call('POST', '/v1/topics', JSON.stringify({ name, options }))
    assert.equal((await make('wide', { partitions: 1_025 })).code, 'OPTION_INVALID')
    assert.equal((await call('POST', '/v1/topics/t/partitions', '{"count":1024}')).status, 403)
    await make('a')
    await make('b')
    const refusal = await make('c')
    assert.deepEqual([refusal.status, refusal.code], [403, 'TOPICS_TOO_MANY'])
    for (const name of ['a', 'b']) await call('DELETE', `/v1/topics/${name}`)
    await unchanged()
  })

  it('stores nothing of half a request', async () => {
    const { hostname, port } = new URL(queue.url ?? '')
    const head =
      'POST /v1/topics/t/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
    const halves = [
      head,
      `${head}content-length: 40\r\n\r\n{"messages":[{"value":"a"}]`,
      `${head}transfer-encoding: chunked\r\n\r\n1c\r\n{"messages":[{"value":"a"}]}\r\n`,
    ]
    for (const half of halves) {
      const socket = connect(Number(port), hostname).on('error', () => {})
      await once(socket, 'connect')
      socket.write(half)
      await call('GET', '/v1/topics')
      socket.destroy()
    }
    const twoLengths = `${head}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n`
    assert.equal(await statusOf(Number(port), twoLengths), 400)
    await unchanged()
  })
})

/** A body that would be right, so that it is the name which is refused. */
function bodyFor(path: string): string {
  if (path.endsWith('/messages')) return '{"messages":[{"value":"x"}]}'
  if (path.endsWith('/partitions')) return '{"count":1}'
  if (path.endsWith('/cancel')) return '{"dedupeKey":"k"}'
  if (path.includes('/offsets/')) return '{"offset":0}'
  return '{}'
}

async function statusOf(port: number, request: string): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.write(request)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(socket, 'close')
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])
}
