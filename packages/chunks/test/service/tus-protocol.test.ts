import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { makeFolder } from '../local.ts'
import { makeText } from '../texts.ts'
import { startTestBackend, startTestService, until } from './service.ts'

// Every MUST of https://tus.io/protocols/resumable-upload (1.0.x) for the core and the extensions
// that are announced, in the order of its text.

const text = Buffer.from(makeText(50_000))
const base64 = (value: string) => Buffer.from(value).toString('base64')
const octets = 'application/offset+octet-stream'
const metadata = `filename ${base64('t.txt')},by ${base64('lines 5')},as ${base64('text')}`

async function start(t: TestContext, more: Parameters<typeof startTestService>[3] = {}) {
  const folder = makeFolder(t)
  const service = await startTestService(t, folder, (await startTestBackend(t)).url, more)
  const call = (method: string, path: string, headers = {}, body?: Uint8Array) =>
    fetch(new URL(path, service.url), {
      method,
      headers: { 'tus-resumable': '1.0.0', ...headers },
      ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}),
    })
  const create = async (bytes: number, headers = {}) => {
    const answer = await call('POST', '/files', { 'upload-length': `${bytes}`, ...headers })
    assert.equal(answer.status, 201)
    return answer.headers.get('location') ?? ''
  }
  const patch = (path: string, offset: number, body: Uint8Array, headers = {}) =>
    call('PATCH', path, { 'upload-offset': `${offset}`, 'content-type': octets, ...headers }, body)
  const head = (path: string) => call('HEAD', path)
  return { folder, service, call, create, patch, head }
}

test('the server MUST send Tus-Resumable with every response but to OPTIONS', async (t) => {
  const { call, create, patch, head } = await start(t)
  const path = await create(10)
  const answers = [
    await head(path),
    await patch(path, 0, text.subarray(0, 5)),
    await patch(path, 0, text.subarray(0, 5)),
    await call('POST', '/files', { 'upload-length': 'x' }),
    await call('HEAD', '/files/aaaaaaaaaaaaaaaa'),
    await call('DELETE', path),
  ]

  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 204, 409, 400, 404, 204],
  )
  for (const { headers } of answers) assert.equal(headers.get('tus-resumable'), '1.0.0')
})

test('a version that is not supported MUST be 412 with Tus-Version, and MUST NOT be processed', async (t) => {
  const { call, create, patch, head, service } = await start(t)
  const path = await create(10)

  const other = await patch(path, 0, text.subarray(0, 5), { 'tus-resumable': '0.2.2' })
  const none = await fetch(new URL(path, service.url), { method: 'DELETE' })
  const made = await call('POST', '/files', { 'tus-resumable': '2.0.0', 'upload-length': '5' })

  for (const answer of [other, none, made]) {
    assert.equal(answer.status, 412)
    assert.equal(answer.headers.get('tus-version'), '1.0.0')
  }
  assert.equal((await head(path)).headers.get('upload-offset'), '0')
})

test('X-HTTP-Method-Override MUST be interpreted as the method, the actual one MUST be ignored', async (t) => {
  const { call, create, head } = await start(t)
  const path = await create(10)

  const patched = await call(
    'POST',
    path,
    { 'x-http-method-override': 'PATCH', 'upload-offset': '0', 'content-type': octets },
    text.subarray(0, 4),
  )
  const ended = await call('POST', path, { 'x-http-method-override': 'DELETE' })

  assert.equal(patched.status, 204)
  assert.equal(patched.headers.get('upload-offset'), '4')
  assert.equal(ended.status, 204)
  assert.equal((await head(path)).status, 404)
})

test('HEAD MUST tell Upload-Offset even when it is 0 or complete, Upload-Length, and no-store', async (t) => {
  const { create, patch, head, service } = await start(t)
  const path = await create(text.length, { 'upload-metadata': metadata })
  const told = async () => {
    const { status, headers } = await head(path)
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('upload-length'), `${text.length}`)
    assert.equal(headers.get('upload-metadata'), metadata)
    return headers.get('upload-offset')
  }

  assert.equal(await told(), '0')
  await patch(path, 0, text.subarray(0, 1_000))
  assert.equal(await told(), '1000')
  await patch(path, 1_000, text.subarray(1_000))
  assert.equal(await told(), `${text.length}`)
  const id = path.split('/').at(-1) ?? ''
  await until('it is worked on', () => service.front.board.find(id).state === 'done')
  assert.equal(await told(), `${text.length}`)
})

test('HEAD of what does not exist MUST NOT have Upload-Offset', async (t) => {
  const { head } = await start(t)

  const answer = await head('/files/aaaaaaaaaaaaaaaa')

  assert.equal(answer.status, 404)
  assert.equal(answer.headers.get('upload-offset'), null)
})

test('PATCH MUST have the type application/offset+octet-stream, else 415', async (t) => {
  const { create, patch } = await start(t)
  const path = await create(10)

  assert.equal((await patch(path, 0, text.subarray(0, 5), { 'content-type': 'x/y' })).status, 415)
})

test('PATCH at another offset MUST be 409 and MUST NOT change the upload', async (t) => {
  const { create, patch, head } = await start(t)
  const path = await create(10)
  await patch(path, 0, text.subarray(0, 5))

  for (const offset of [0, 4, 6]) {
    assert.equal((await patch(path, offset, text.subarray(0, 2))).status, 409)
    assert.equal((await head(path)).headers.get('upload-offset'), '5')
  }
  for (const offset of ['-1', 'x', '', '1.5'])
    assert.equal(
      (await patch(path, 0, text.subarray(0, 2), { 'upload-offset': offset })).status,
      400,
    )
})

test('a successful PATCH MUST be 204 with the new Upload-Offset, an empty one too', async (t) => {
  const { create, patch } = await start(t)
  const path = await create(10)

  const first = await patch(path, 0, text.subarray(0, 7))
  const empty = await patch(path, 7, new Uint8Array())

  assert.deepEqual([first.status, first.headers.get('upload-offset')], [204, '7'])
  assert.deepEqual([empty.status, empty.headers.get('upload-offset')], [204, '7'])
})

test('OPTIONS MUST have Tus-Version, and tells extensions, sizes and checksums', async (t) => {
  const { service } = await start(t, { uploadBytesMax: 12_345 })

  const { status, headers } = await fetch(new URL('/files', service.url), { method: 'OPTIONS' })

  assert.equal(status, 204)
  assert.equal(headers.get('tus-version'), '1.0.0')
  assert.equal(headers.get('tus-max-size'), '12345')
  assert.deepEqual(headers.get('tus-extension')?.split(','), [
    'creation',
    'termination',
    'expiration',
    'checksum',
    'concatenation',
  ])
  const algorithms = headers.get('tus-checksum-algorithm')?.split(',') ?? []
  assert.ok(algorithms.includes('sha1'), 'sha1 MUST be supported')
})

test('creation: 201 with Location; over Tus-Max-Size MUST be 413; a length MUST be given', async (t) => {
  const { call, service } = await start(t, { uploadBytesMax: 1_000 })

  const made = await call('POST', '/files', { 'upload-length': '1000' })
  const large = await call('POST', '/files', { 'upload-length': '1001' })
  const none = await call('POST', '/files')
  const empty = await call('POST', '/files', { 'upload-length': '0' })

  assert.equal(made.status, 201)
  assert.match(made.headers.get('location') ?? '', /^\/files\/[\w-]{16}$/)
  assert.equal(large.status, 413)
  assert.equal(none.status, 400)
  assert.equal(empty.status, 201)
  const id = (empty.headers.get('location') ?? '').split('/').at(-1) ?? ''
  await until('the empty one is done', () => service.front.board.find(id).state === 'done')
})

test('Upload-Metadata MUST have unique keys and base64 values, which may be empty', async (t) => {
  const { call } = await start(t)
  const status = async (value: string) =>
    (await call('POST', '/files', { 'upload-length': '5', 'upload-metadata': value })).status

  assert.equal(await status(`filename ${base64('a.txt')},empty,other `), 201)
  for (const wrong of [
    `filename ${base64('a')},filename ${base64('b')}`,
    'filename not*base64',
    `,filename ${base64('a')}`,
    `filename ${base64('../../etc/passwd')}`,
    `filename ${base64('a\0b')}`,
  ])
    assert.equal(await status(wrong), 400, wrong)
})

test('expiration: Upload-Expires MUST come with POST and PATCH; what has expired is 410', async (t) => {
  const clock = createManualClock(Date.UTC(2026, 0, 1))
  const { call, patch, folder } = await start(t, { clock, keepMs: 3_600_000 })
  const made = await call('POST', '/files', { 'upload-length': '10' })
  const path = made.headers.get('location') ?? ''

  const part = await patch(path, 0, text.subarray(0, 5))
  await clock.advance(3_600_001)
  const late = await patch(path, 5, text.subarray(0, 5))
  const later = await call('HEAD', path)

  const expires = 'Thu, 01 Jan 2026 01:00:00 GMT'
  assert.equal(made.headers.get('upload-expires'), expires)
  assert.equal(part.headers.get('upload-expires'), expires)
  assert.deepEqual([late.status, later.status], [410, 410])
  assert.deepEqual(
    readdirSync(join(folder, 'uploads')).filter((name) => name.endsWith('.data')),
    [],
  )
})

test('checksum: a mismatch MUST be 460 and discarded, an unknown algorithm MUST be 400', async (t) => {
  const { create, patch, head } = await start(t)
  const path = await create(100)
  const part = text.subarray(0, 50)
  const sum = (algorithm: string, bytes: Uint8Array) =>
    `${algorithm} ${createHash(algorithm).update(bytes).digest('base64')}`

  const wrong = await patch(path, 0, part, { 'upload-checksum': sum('sha1', text) })
  const offset = (await head(path)).headers.get('upload-offset')
  const unknown = await patch(path, 0, part, { 'upload-checksum': 'crc9 AAAA' })
  const right = await patch(path, 0, part, { 'upload-checksum': sum('sha1', part) })

  assert.deepEqual([wrong.status, offset, unknown.status, right.status], [460, '0', 400, 204])
})

test('termination: 204, and MUST be 404 or 410 from then on; the bytes are freed', async (t) => {
  const { call, create, patch, folder, service } = await start(t)
  const path = await create(100)
  await patch(path, 0, text.subarray(0, 50))

  assert.equal((await call('DELETE', path)).status, 204)

  for (const method of ['HEAD', 'DELETE']) assert.equal((await call(method, path)).status, 404)
  assert.equal((await patch(path, 50, text.subarray(0, 50))).status, 404)
  assert.deepEqual(readdirSync(join(folder, 'uploads')), [])
  const disk = (await (await fetch(new URL('/disk', service.url))).json()) as { usedBytes: number }
  assert.equal(disk.usedBytes, 0)
})

test('concatenation: Upload-Concat MUST be told by HEAD; a final one MUST have both sizes, takes no PATCH', async (t) => {
  const { call, create, patch, head, service } = await start(t)
  const partial = { 'upload-concat': 'partial' }
  const one = await create(1_000, partial)
  const two = await create(text.length - 1_000, partial)
  await patch(one, 0, text.subarray(0, 1_000))
  const concat = `final;${one} ${new URL(two, service.url)}`
  const early = await call('POST', '/files', { 'upload-concat': concat })
  await patch(two, 0, text.subarray(1_000))
  const told = (await head(one)).headers.get('upload-concat')

  const sized = await call('POST', '/files', { 'upload-concat': concat, 'upload-length': '5' })
  const made = await call('POST', '/files', {
    'upload-concat': concat,
    'upload-metadata': metadata,
  })
  const path = made.headers.get('location') ?? ''
  const final = await head(path)

  assert.equal(told, 'partial')
  assert.equal(early.status, 400)
  assert.equal(sized.status, 400, 'the client MUST NOT send Upload-Length')
  assert.equal(made.status, 201)
  assert.equal(final.headers.get('upload-concat'), concat)
  assert.equal(final.headers.get('upload-length'), `${text.length}`)
  assert.equal(final.headers.get('upload-offset'), `${text.length}`)
  assert.equal((await patch(path, text.length, new Uint8Array())).status, 403)
  const id = path.split('/').at(-1) ?? ''
  await until('it is done', () => service.front.board.find(id).state === 'done')
  assert.equal(service.front.board.find(id).sha256, createHash('sha256').update(text).digest('hex'))
})

test('a client that comes back by another connection takes over from the one that hangs', async (t) => {
  const { create, patch, head, service } = await start(t)
  const large = Buffer.alloc(3_000_000, 'large ')
  const path = await create(large.length)
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  socket.write(
    `PATCH ${path} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: ${octets}\r\ncontent-length: ${large.length}\r\n\r\n`,
  )
  socket.write(large.subarray(0, 1_500_000))
  const offset = async () => Number((await head(path)).headers.get('upload-offset'))
  await until('something came', async () => (await offset()) > 0)

  await until('the whole is there', async () => {
    const at = await offset()
    const { status } = await patch(path, at, large.subarray(at))
    // 409: what the hanging connection had sent was kept just now; ask again, as clients do.
    assert.ok(status === 204 || status === 409, `${status}`)
    return status === 204
  })

  assert.equal(await offset(), large.length)
})

test('an upload that was complete when the front died becomes a request at the next start', async (t) => {
  const folder = makeFolder(t)
  const backend = await startTestBackend(t)
  const before = await startTestService(t, folder, backend.url, { waitingMax: 0 })
  const call = (method: string, path: string, headers: Record<string, string>, body?: Buffer) =>
    fetch(new URL(path, before.url), {
      method,
      headers: { 'tus-resumable': '1.0.0', ...headers },
      ...(body ? { body: body as Buffer<ArrayBuffer> } : {}),
    })
  const made = await call('POST', '/files', {
    'upload-length': `${text.length}`,
    'upload-metadata': metadata,
  })
  const path = made.headers.get('location') ?? ''
  const patched = await call('PATCH', path, { 'upload-offset': '0', 'content-type': octets }, text)
  assert.equal(patched.status, 204, 'the bytes are here, whether or not there is a place to wait')
  assert.equal(patched.headers.get('drover-request'), null)
  await before.stop()

  const after = await startTestService(t, folder, backend.url)

  const id = path.split('/').at(-1) ?? ''
  await until('done', () => after.front.board.get(id)?.state === 'done')
})
