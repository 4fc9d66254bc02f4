import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Upload } from 'tus-js-client'
import { makeFolder } from '../local.ts'
import { makeText } from '../texts.ts'
import { startTestBackend, startTestService, until } from './service.ts'

const text = Buffer.from(makeText(200_000))
const version = { 'tus-resumable': '1.0.0' }
const encode = (value: string) => Buffer.from(value).toString('base64')
const metadata = `filename ${encode('t.txt')},by ${encode('lines 5')},as ${encode('text')}`

async function start(t: TestContext) {
  const folder = makeFolder(t)
  const service = await startTestService(t, folder, (await startTestBackend(t)).url)
  const call = (path: string, method: string, headers = {}, body?: Uint8Array) =>
    fetch(new URL(path, service.url), {
      method,
      headers: { ...version, ...headers },
      ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}),
    })
  const create = async (bytes: number, headers = {}) => {
    const answer = await call('/files', 'POST', { 'upload-length': `${bytes}`, ...headers })
    return { answer, path: answer.headers.get('location') ?? '' }
  }
  const patch = (path: string, offset: number, body: Uint8Array, headers = {}) =>
    call(
      path,
      'PATCH',
      {
        'upload-offset': `${offset}`,
        'content-type': 'application/offset+octet-stream',
        ...headers,
      },
      body,
    )
  return { folder, service, call, create, patch }
}

test('OPTIONS tells the version and the extensions', async (t) => {
  const { service } = await start(t)

  const { status, headers } = await fetch(new URL('/files', service.url), { method: 'OPTIONS' })

  assert.equal(status, 204)
  assert.equal(headers.get('tus-version'), '1.0.0')
  assert.equal(
    headers.get('tus-extension'),
    'creation,termination,expiration,checksum,concatenation',
  )
  assert.match(headers.get('tus-checksum-algorithm') ?? '', /sha1/)
})

test('another version of the protocol is refused with 412', async (t) => {
  const { call } = await start(t)

  const answer = await call('/files', 'POST', { 'tus-resumable': '0.2.0', 'upload-length': '1' })

  assert.equal(answer.status, 412)
  assert.equal(answer.headers.get('tus-version'), '1.0.0')
})

test('an upload is made, told, continued and becomes a request', async (t) => {
  const { create, patch, call, service } = await start(t)
  const { answer, path } = await create(text.length, { 'upload-metadata': metadata })
  assert.equal(answer.status, 201)
  assert.ok(answer.headers.get('upload-expires'))

  assert.equal((await patch(path, 0, text.subarray(0, 1_000))).status, 204)
  const told = await call(path, 'HEAD')
  assert.equal(told.headers.get('upload-offset'), '1000')
  assert.equal(told.headers.get('upload-length'), `${text.length}`)
  assert.equal(told.headers.get('cache-control'), 'no-store')
  assert.equal(told.headers.get('upload-metadata'), metadata)
  assert.equal((await patch(path, 0, text)).status, 409)
  const last = await patch(path, 1_000, text.subarray(1_000))

  assert.equal(last.headers.get('upload-offset'), `${text.length}`)
  const id = path.split('/').at(-1) ?? ''
  assert.equal(last.headers.get('drover-request'), `/requests/${id}`)
  await until('done', () => service.front.board.find(id).state === 'done')
  assert.equal(service.front.board.find(id).sha256, createHash('sha256').update(text).digest('hex'))
})

test('what cannot be is refused: types, lengths, too much, unknown uploads, unknown ways', async (t) => {
  const { create, patch, call } = await start(t)
  const { path } = await create(10)

  assert.equal((await call('/files', 'POST', {})).status, 400)
  assert.equal((await create(5, { 'upload-metadata': `by ${encode('lins')}` })).answer.status, 400)
  assert.equal(
    (await patch(path, 0, text.subarray(0, 4), { 'content-type': 'text/plain' })).status,
    415,
  )
  assert.equal((await patch(path, 0, text.subarray(0, 11))).status, 413)
  assert.equal((await call('/files/aaaaaaaaaaaaaaaa', 'HEAD')).status, 404)
  assert.equal((await call('/files/..%2f..%2fetc', 'HEAD')).status, 404)
})

test('a part with a wrong checksum is not kept, one with the right is', async (t) => {
  const { create, patch, call } = await start(t)
  const { path } = await create(100)
  const part = text.subarray(0, 50)
  const sum = (bytes: Uint8Array) => `sha256 ${createHash('sha256').update(bytes).digest('base64')}`

  const wrong = await patch(path, 0, part, { 'upload-checksum': sum(text) })
  const offset = (await call(path, 'HEAD')).headers.get('upload-offset')
  const right = await patch(path, 0, part, { 'upload-checksum': sum(part) })

  assert.equal(wrong.status, 460)
  assert.equal(offset, '0')
  assert.equal(right.status, 204)
  assert.equal((await patch(path, 50, part, { 'upload-checksum': 'crc9 AAAA' })).status, 400)
})

test('a broken connection keeps what came, and the upload goes on there', async (t) => {
  const { create, patch, call, service } = await start(t)
  const large = Buffer.alloc(3_000_000, 'large ')
  const { path } = await create(large.length, { 'upload-metadata': metadata })
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    `PATCH ${path} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: ${large.length}\r\n\r\n`,
  )
  socket.write(large.subarray(0, 1_500_000))
  const offset = async () => Number((await call(path, 'HEAD')).headers.get('upload-offset'))
  await until('it is received', async () => (await offset()) > 0)

  socket.end()
  await until('all that came is kept', async () => (await offset()) === 1_500_000)

  const rest = await patch(path, 1_500_000, large.subarray(1_500_000))
  assert.equal(rest.headers.get('upload-offset'), `${large.length}`)
})

test('an upload is ended and its files are gone', async (t) => {
  const { create, patch, call, folder } = await start(t)
  const { path } = await create(100)
  await patch(path, 0, text.subarray(0, 50))

  assert.equal((await call(path, 'DELETE')).status, 204)

  assert.equal((await call(path, 'HEAD')).status, 404)
  assert.deepEqual(readdirSync(join(folder, 'uploads')), [])
})

test('partial uploads are put together', async (t) => {
  const { create, patch, call, service } = await start(t)
  const partial = { 'upload-concat': 'partial' }
  const [one, two] = [
    (await create(1_000, partial)).path,
    (await create(text.length - 1_000, partial)).path,
  ]
  await patch(two, 0, text.subarray(1_000))
  const early = await call('/files', 'POST', { 'upload-concat': `final;${one} ${two}` })
  await patch(one, 0, text.subarray(0, 1_000))

  const final = await call('/files', 'POST', {
    'upload-concat': `final;${one} ${two}`,
    'upload-metadata': metadata,
  })

  assert.equal(early.status, 400)
  assert.equal(final.status, 201)
  const id = (final.headers.get('location') ?? '').split('/').at(-1) ?? ''
  await until('done', () => service.front.board.find(id).state === 'done')
  assert.equal(service.front.board.find(id).sha256, createHash('sha256').update(text).digest('hex'))
})

for (const parallelUploads of [1, 3])
  test(`tus-js-client sends with ${parallelUploads} at a time`, async (t) => {
    const { service, folder } = await start(t)

    await new Promise<void>((resolve, reject) => {
      new Upload(text, {
        endpoint: new URL('/files', service.url).href,
        chunkSize: 20_000,
        parallelUploads,
        metadata: { filename: 't.txt', by: 'lines 5', as: 'text' },
        onSuccess: () => resolve(),
        onError: reject,
      }).start()
    })

    await until('done', () => service.front.board.list()[0]?.state === 'done')
    const [{ id } = { id: '' }] = service.front.board.list()
    assert.equal(
      service.front.board.find(id).sha256,
      createHash('sha256').update(text).digest('hex'),
    )
    assert.ok(existsSync(join(folder, 'requests', id, 'input')))
  })
