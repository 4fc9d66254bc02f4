import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { makeFolder } from '../local.ts'
import { send, startTestBackend, startTestService, until } from './service.ts'

async function start(t: TestContext, more: Parameters<typeof startTestService>[3] = {}) {
  const folder = makeFolder(t)
  const service = await startTestService(t, folder, (await startTestBackend(t)).url, more)
  const left = () => readdirSync(join(folder, 'requests')).length
  return { ...service, left }
}

const told = async (answer: Response) => {
  const { code, detail } = (await answer.json()) as { code: string; detail: string }
  return { status: answer.status, code, detail }
}

test('names with slashes, dots, NULs and too many bytes are refused wherever they come from', async (t) => {
  const { url, left } = await start(t)
  const names = ['../x', '..', '.', 'a/b', 'a\\b', 'a\0b', 'a\nb', 'n'.repeat(201), 'é'.repeat(101)]

  for (const name of names) {
    const byQuery = await told(await send(url, new URLSearchParams({ name }).toString(), text))
    assert.deepEqual([byQuery.status, byQuery.code], [400, 'NAME_INVALID'], JSON.stringify(name))
  }
  for (const name of ['%2e%2e%2fx', 'a%00b', 'a%2fb', '']) {
    const answer = await fetch(new URL(`/chunks/${name}`, url), { method: 'PUT', body: text })
    assert.equal(answer.status, 400, name)
  }
  for (const id of ['..%2f..%2fetc%2fpasswd', 'a%00', 'x'.repeat(60)]) {
    assert.equal((await fetch(new URL(`/requests/${id}/result`, url))).status, 404, id)
    assert.equal((await fetch(new URL(`/requests/${id}`, url), { method: 'DELETE' })).status, 404)
  }
  assert.equal(left(), 0)
})

const text = Buffer.from('a text')

/** A form, byte by byte. */
function form(...parts: readonly string[]): Buffer {
  return Buffer.from(
    `${parts.map((part) => `--b\r\ncontent-disposition: form-data; ${part}\r\n`).join('')}--b--\r\n`,
  )
}

const file = (content: string) => `name="file"; filename="x.txt"\r\n\r\n${content}`

test('forms with huge fields, thousands of parts, two files, none, or no end are 400', async (t) => {
  const { url, left } = await start(t)
  const sendForm = async (body: Buffer, boundary = 'b') =>
    told(await send(url, '', body, { 'content-type': `multipart/form-data; boundary=${boundary}` }))
  const many = Array.from({ length: 5_000 }, (_, index) => `name="f${index}"\r\n\r\nx`)
  const wrong = {
    'a huge field': form(`name="by"\r\n\r\n${'x'.repeat(100_000)}`, file('x')),
    'thousands of parts': form(...many, file('x')),
    'two files': form(file('one'), file('two')),
    'no file': form('name="by"\r\n\r\nlines 5'),
    'no end': form(file('one')).subarray(0, -10),
    'a field after the file': form(file('one'), 'name="by"\r\n\r\nlines 5'),
    nothing: Buffer.from(''),
    'another boundary': Buffer.from('--c\r\n\r\n'),
    'no boundary at all': Buffer.from('hello'),
  }

  for (const [what, body] of Object.entries(wrong)) {
    const { status, code } = await sendForm(body)
    assert.deepEqual([status, code], [400, 'UPLOAD_INVALID'], what)
  }
  const prototype = await sendForm(form('name="__proto__"\r\n\r\nx', file('one')))
  assert.equal(prototype.code, undefined, 'a strange name of a field is no harm')
  await until('nothing else is left', () => left() === 1)
})

test('a word said twice, a header flood and a wrong length are refused', async (t) => {
  const { url, left } = await start(t)
  assert.deepEqual((await told(await send(url, 'by=lines%205&by=cdc', text))).status, 400)
  assert.equal((await fetch(new URL('/requests/x/result?as=a&as=b', url))).status, 400)
  const { port } = new URL(url)
  const raw = (head: string, body = '') =>
    new Promise<string>((resolve) => {
      let answer = ''
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(head + body)
        if (body === 'x') socket.end()
      })
      socket.setEncoding('latin1').on('data', (part: string) => {
        answer += part
        socket.end()
      })
      socket.on('error', () => {}).on('close', () => resolve(answer))
    })
  const post = 'POST /chunks HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n'

  assert.match(await raw(`${post}${'a: b\r\n'.repeat(20_000)}\r\n`), /^HTTP\/1.1 431/)
  assert.match(await raw(`${post}x: ${'y'.repeat(100_000)}\r\n\r\n`), /^HTTP\/1.1 431/)
  assert.match(await raw(`${post}content-length: -5\r\n\r\n`, 'abc'), /^HTTP\/1.1 400/)
  assert.match(await raw(`${post}content-length: 5\r\ncontent-length: 6\r\n\r\n`), /^HTTP\/1.1 400/)
  assert.match(
    await raw(`${post}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`),
    /^HTTP\/1.1 400/,
  )
  await raw(`${post}content-length: 1000000\r\n\r\n`, 'x')
  await until('what was cut short is gone', () => left() === 0)
})

test('a small file that unpacks to a huge one is refused before it fills the disk', async (t) => {
  const { url, left } = await start(t, { uploadBytesMax: 2 ** 40 })
  const zeros = Buffer.alloc(320 * 2 ** 20)

  for (const [input, pack] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    const bomb = pack(zeros)
    const { status, code } = await told(
      await send(url, 'by=bytes%201MiB', bomb, { 'content-encoding': input }),
    )
    assert.deepEqual([status, code], [413, 'UPLOAD_TOO_LARGE'], input)
    const cut = await told(await send(url, `input=${input}`, pack(text).subarray(0, -3)))
    assert.deepEqual([cut.status, cut.code], [400, 'INPUT_DAMAGED'], input)
  }
  assert.equal(left(), 0)
})

test('more chunks than the limit end the request with the reason, and free its room', async (t) => {
  const { url } = await start(t, { chunksMax: 1_000 })
  const large = Buffer.alloc(100_000, 'word. ')

  for (const by of [
    'bytes 10',
    'lines 1',
    'delimiter .',
    'regex /o/',
    'sentences 16',
    'parts 5000',
  ]) {
    const body = by.startsWith('lines') ? Buffer.alloc(100_000, 'x\n') : large
    const query = new URLSearchParams({ by, wait: 'yes' }).toString()
    const { status, detail } = await told(await send(url, query, body))
    assert.equal(status, 410, by)
    assert.match(detail, /more than 1000 chunks/, by)
  }
  const { usedBytes } = (await (await fetch(new URL('/disk', url))).json()) as { usedBytes: number }
  assert.equal(usedBytes, 0)
})

test('a word list that says a billion words ends at the quota, not at the disk', async (t) => {
  const { url, left } = await start(t, { quotaBytes: 5_000_000 })
  const list = Buffer.from('1 aa aa 500000000\n2 bb bb 400000000\n')

  const { status, detail } = await told(await send(url, 'wait=yes', list))

  assert.equal(status, 410)
  assert.match(detail, /quota/)
  const disk = (await (await fetch(new URL('/disk', url))).json()) as { usedBytes: number }
  assert.equal(disk.usedBytes, 0)
  assert.equal(left(), 1, 'only the note of what failed is left')
})

test('a thousand requests may wait, and no more', async (t) => {
  const { url } = await startTestService(t, makeFolder(t), 'http://127.0.0.1:1', { waitingMax: 3 })
  const statuses: number[] = []
  for (let count = 0; count < 6; count++) statuses.push((await send(url, '', text)).status)

  assert.deepEqual(statuses.slice(-2), [503, 503])
  assert.ok(statuses.filter((status) => status === 202).length >= 3)
})
