import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { systemClock } from '@drover/kernel'
import { doTask } from '../../src/service/tasks/tasks.ts'
import { chunkBytes, makeFolder } from '../local.ts'
import { makeText } from '../texts.ts'
import { send, startTestBackend, startTestService, until } from './service.ts'

const text = Buffer.from(makeText(300_000))
const list = Buffer.from(
  Array.from({ length: 300 }, (_, row) => `${row} w${row} w${row} ${row % 7}`)
    .map((line, row) => line.replaceAll('w', 'abcxyz'[row % 6] ?? ''))
    .join('\n'),
)

const ways = [
  'letters a-c,d-z',
  'letters',
  'bytes 10kB',
  'parts 7',
  'lines 20',
  'delimiter .',
  'regex /[!?]/',
  'cdc 512/2048/8192',
  'tokens 100/10',
  'sentences 500/100',
  'markdown 500/100',
  'records 30',
]

test('every way gives the bytes that chunking without a server gives', async (t) => {
  const folder = makeFolder(t)
  const { url } = await startTestService(t, folder, (await startTestBackend(t)).url)
  for (const by of ways)
    for (const as of ['zip', 'tar', 'pack', 'ndjson', 'text'] as const) {
      const name = 'in put.txt'
      const query = new URLSearchParams({ by, as, name, wait: 'yes' })
      const answer = await send(url, query.toString(), text)
      assert.equal(answer.status, 200, by)
      const served = Buffer.from(await answer.arrayBuffer())

      const local = readFileSync(await chunkBytes(makeFolder(t), text, { by, as, name }))
      const withoutSum = (bytes: Buffer) =>
        bytes.toString('latin1').replace(/"sha256":"\w{64}","way"/, '"way"')
      if (as === 'text') assert.ok(served.equals(local), by)
      if (as === 'ndjson') assert.equal(withoutSum(served), withoutSum(local), by)
      assert.ok(served.length >= local.length, by)
    }
})

test('a word list is drawn on the backends as it is drawn here', async (t) => {
  const { url } = await startTestService(t, makeFolder(t), (await startTestBackend(t)).url)
  const by = 'letters a-c,x,y-z'

  const answer = await send(
    url,
    new URLSearchParams({ by, as: 'text', seed: '5', wait: '' }).toString(),
    list,
  )

  const local = await chunkBytes(makeFolder(t), list, { by, as: 'text', options: { seed: '5' } })
  assert.equal(await answer.text(), readFileSync(local, 'utf8'))
})

test('forms, bare bytes and compressed bodies are taken; a request has a place and ends', async (t) => {
  const { url } = await startTestService(t, makeFolder(t), (await startTestBackend(t)).url)
  const form = new FormData()
  form.set('chunk', 'd-a')
  form.set('as', 'text')
  form.set('file', new Blob(['an emu and a bee']), 'b.txt')

  const answer = await fetch(new URL('/chunks?wait=yes', url), { method: 'POST', body: form })
  const packed = await send(url, 'by=letters%20e&as=text&wait=yes', gzipSync('an emu'), {
    'content-encoding': 'gzip',
  })
  const named = await fetch(new URL('/chunks/x.txt?by=letters&as=text', url), {
    method: 'PUT',
    body: 'one two',
  })

  assert.equal(await answer.text(), 'an and a bee')
  assert.match(answer.headers.get('content-disposition') ?? '', /b\.txt\.chunk\.txt/)
  assert.equal(await packed.text(), 'emu')
  assert.equal(named.status, 202)
  const { id } = (await named.json()) as { id: string }
  const view = async () =>
    (await (await fetch(new URL(`/requests/${id}`, url))).json()) as { state: string }
  await until('done', async () => (await view()).state === 'done')
  assert.equal(await (await fetch(new URL(`/requests/${id}/result`, url))).text(), 'one two')
})

test('bad input is refused with its reason, and nothing is left', async (t) => {
  const folder = makeFolder(t)
  const { url } = await startTestService(t, folder, (await startTestBackend(t)).url, {
    uploadBytesMax: 1_000_000,
  })
  const code = async (query: string, bytes: Uint8Array, headers = {}) => {
    const answer = await send(url, query, bytes, headers)
    const { code: found } = (await answer.json()) as { code: string }
    return `${answer.status} ${found}`
  }
  const small = Buffer.from('text')

  assert.equal(await code('by=letters%201-5', small), '400 LETTERS_INVALID')
  assert.equal(await code('by=lins', small), '400 WAY_UNKNOWN')
  assert.equal(await code('by=bytes%200', small), '400 SIZE_INVALID')
  assert.equal(await code('by=lines%205&as=rar', small), '400 WAY_UNKNOWN')
  assert.equal(await code('name=..%2Fx', small), '400 NAME_INVALID')
  assert.equal(await code('by=regex%20((', small), '400 PATTERN_INVALID')
  assert.equal(await code('', Buffer.alloc(1_000_001)), '413 UPLOAD_TOO_LARGE')
  assert.equal(
    await code('', Buffer.from('no gzip'), { 'content-encoding': 'gzip' }),
    '400 INPUT_DAMAGED',
  )
  assert.deepEqual(readdirSync(join(folder, 'requests')), [])
  const binary = await send(url, 'wait=yes', Buffer.from([1, 0, 2]))
  assert.match(((await binary.json()) as { detail: string }).detail, /not text/)
})

test('a client that goes away half-way leaves nothing', async (t) => {
  const folder = makeFolder(t)
  const { url } = await startTestService(t, folder, (await startTestBackend(t)).url)
  const { port } = new URL(url)
  const left = () => readdirSync(join(folder, 'requests')).length
  for (const type of ['application/octet-stream', 'multipart/form-data; boundary=b']) {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(
      `POST /chunks HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: 100000\r\n\r\n`,
    )
    socket.write('--b\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\nhalf')
    await until('the upload begins', () => left() === 1)

    socket.destroy()

    await until('nothing is left', () => left() === 0)
  }
})

test('a full disk, simulated or by quota, is 507 with nothing left over', async (t) => {
  const folder = makeFolder(t)
  const { url } = await startTestService(t, folder, (await startTestBackend(t)).url, {
    quotaBytes: 100_000,
  })

  assert.equal((await send(url, '', text)).status, 507)
  assert.deepEqual(readdirSync(join(folder, 'requests')), [])
  await fetch(new URL('/disk?full=true', url), { method: 'PUT' })
  assert.equal((await send(url, '', Buffer.from('x'))).status, 507)
  await fetch(new URL('/disk?full=false', url), { method: 'PUT' })
  assert.equal((await send(url, 'wait=yes', Buffer.from('x'))).status, 200)
  const { usedBytes } = (await (await fetch(new URL('/disk', url))).json()) as { usedBytes: number }
  assert.ok(usedBytes > 0 && usedBytes < 1_000, `${usedBytes}`)
})

test('the queue is the same for all, a request can be cancelled, and its room is free again', async (t) => {
  const folder = makeFolder(t)
  // Nobody listens on port 1: the work waits for a backend.
  const { url } = await startTestService(t, folder, 'http://127.0.0.1:1')
  const first = (await (await send(url, 'name=one', text)).json()) as { id: string }
  const second = (await (await send(url, 'name=two', text)).json()) as { id: string }
  const views = async () =>
    (await (await fetch(new URL('/requests', url))).json()) as {
      name: string
      place?: number
      state: string
    }[]
  await until('the first is worked on', async () => (await views())[0]?.state === 'working')

  assert.deepEqual(
    (await views()).map(({ name, place }) => [name, place]),
    [
      ['one', 0],
      ['two', 1],
    ],
  )
  for (const { id } of [second, first])
    assert.equal((await fetch(new URL(`/requests/${id}`, url), { method: 'DELETE' })).status, 204)

  await until('nothing is left', () => readdirSync(join(folder, 'requests')).length === 0)
  assert.deepEqual(
    (await views()).map(({ state }) => state),
    ['cancelled', 'cancelled'],
  )
  assert.equal((await fetch(new URL(`/requests/${first.id}/result`, url))).status, 410)
})

test('what waits survives a restart of the front, and a backend that comes late does it', async (t) => {
  const folder = makeFolder(t)
  const backend = await startTestBackend(t)
  const before = await startTestService(t, folder, 'http://127.0.0.1:1')
  const { id } = (await (await send(before.url, 'by=lines%205&as=text', text)).json()) as {
    id: string
  }
  await before.stop()

  const after = await startTestService(t, folder, backend.url)

  await until('done', () => after.front.board.find(id).state === 'done')
  const result = await (await fetch(new URL(`/requests/${id}/result`, after.url))).text()
  assert.ok(result.startsWith(text.toString().slice(0, 100)))
})

test('a backend that is busy, dies or talks nonsense is passed over, unseen by the client', async (t) => {
  let asked = 0
  const flaky = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', async () => {
      asked++
      if (asked % 4 === 1) response.writeHead(503, { 'retry-after': '1' }).end('busy')
      else if (asked % 4 === 2) request.socket.destroy()
      else if (asked % 4 === 3) response.writeHead(502).end('<html>')
      else response.end(await doTask(Buffer.concat(parts), systemClock))
    })
  })
  await new Promise<void>((resolve) => flaky.listen(0, '127.0.0.1', resolve))
  t.after(() => flaky.close())
  const { port } = flaky.address() as AddressInfo
  const service = await startTestService(t, makeFolder(t), `http://127.0.0.1:${port}`)

  const answer = await send(service.url, 'by=letters&as=text&wait=yes', text)

  const local = await chunkBytes(makeFolder(t), text, { by: 'letters', as: 'text' })
  assert.equal(await answer.text(), readFileSync(local, 'utf8'))
  assert.ok(service.repeated() > 0, 'no task was repeated')
})

test('while all backends are busy, tasks wait their turn', async (t) => {
  // A pattern runs in a thread of its own, so that tasks really meet.
  const { url } = await startTestBackend(t, 0, 1)
  const services = await Promise.all(
    [1, 2].map(() => startTestService(t, makeFolder(t), url, { window: 6, workers: 2 })),
  )
  const local = readFileSync(
    await chunkBytes(makeFolder(t), text, { by: 'regex /[.!?]/', as: 'text' }),
    'utf8',
  )

  const answers = await Promise.all(
    services.flatMap((service) =>
      [1, 2].map(() => send(service.url, 'by=regex%20/[.!?]/&as=text&wait=yes', text)),
    ),
  )

  for (const answer of answers) assert.equal(await answer.text(), local)
  assert.ok(
    services.some((service) => service.repeated() > 0),
    'nobody was ever busy',
  )
})

test('no backend within the time ends the request, and the client is told why', async (t) => {
  const { url } = await startTestService(t, makeFolder(t), 'http://127.0.0.1:1', { taskMs: 500 })

  const answer = await send(url, 'wait=yes', text)

  assert.equal(answer.status, 410)
  assert.match(((await answer.json()) as { detail: string }).detail, /no backend did a task/)
})

test('who waits for a result and leaves has the request cancelled, and its files are gone', async (t) => {
  const folder = makeFolder(t)
  const { url } = await startTestService(t, folder, 'http://127.0.0.1:1')
  const views = async () =>
    (await (await fetch(new URL('/requests', url))).json()) as { state: string }[]
  const leaving = new AbortController()
  const sent = fetch(new URL('/chunks?wait=yes', url), {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: text,
    signal: leaving.signal,
  })
  await until('it is worked on', async () => (await views())[0]?.state === 'working')

  leaving.abort()

  await assert.rejects(sent)
  await until('it is cancelled', async () => (await views())[0]?.state === 'cancelled')
  await until('nothing is left', () => readdirSync(join(folder, 'requests')).length === 0)
})

test('a result is given in parts: ranges, sizes and tags fit its bytes in every form', async (t) => {
  const { url, front } = await startTestService(t, makeFolder(t), (await startTestBackend(t)).url)
  const { id } = (await (await send(url, 'by=lines%2020', text)).json()) as { id: string }
  await until('done', () => front.board.find(id).state === 'done')
  for (const as of ['zip', 'tar', 'pack', 'text', 'manifest', 'ndjson']) {
    const path = new URL(`/requests/${id}/result?as=${as}`, url)
    const get = (headers = {}, method = 'GET') => fetch(path, { headers, method })
    const answer = await get()
    const whole = Buffer.from(await answer.arrayBuffer())
    const head = await get({}, 'HEAD')
    if (as === 'ndjson') {
      assert.equal(answer.headers.get('accept-ranges'), null)
      continue
    }
    assert.equal(answer.headers.get('content-length'), `${whole.length}`, as)
    assert.equal(head.headers.get('content-length'), `${whole.length}`, as)
    const middle = Math.floor(whole.length / 2)
    const tag = answer.headers.get('etag') ?? ''
    const rest = await get({ range: `bytes=${middle}-`, 'if-range': tag })
    assert.equal(rest.status, 206)
    assert.ok(Buffer.from(await rest.arrayBuffer()).equals(whole.subarray(middle)), as)
    const few = await get({ range: 'bytes=10-19' })
    assert.ok(Buffer.from(await few.arrayBuffer()).equals(whole.subarray(10, 20)), as)
    const last = await get({ range: 'bytes=-5' })
    assert.ok(Buffer.from(await last.arrayBuffer()).equals(whole.subarray(-5)), as)
    assert.equal((await get({ range: `bytes=${whole.length}-` })).status, 416)
    assert.equal((await get({ range: 'bytes=5-', 'if-range': '"other"' })).status, 200)
  }
})

test('a pattern that runs away ends its own request only', async (t) => {
  const { url } = await startTestService(t, makeFolder(t), (await startTestBackend(t)).url)
  const by = new URLSearchParams({ by: 'regex ^(a+)+$', wait: 'yes' }).toString()

  const slow = send(url, by, Buffer.from(`${'a'.repeat(50)}!`))
  const answer = await slow

  assert.equal(answer.status, 410)
  assert.match(((await answer.json()) as { detail: string }).detail, /ran over/)
  assert.equal((await send(url, 'wait=yes', Buffer.from('fine'))).status, 200)
})
