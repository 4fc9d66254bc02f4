import assert from 'node:assert/strict'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { descendants } from './harness/chunks.ts'
import { type RunningDrover, runDrover, startDrover, temporaryFolder } from './harness/drover.ts'
import { root } from './harness/project.ts'
import { until } from './harness/until.ts'

interface View {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly place?: number
  readonly progress: number
  readonly estimateMs?: number
}

/** Runs examples/chunks on free ports. */
async function startExample(context: TestContext) {
  const folder = await temporaryFolder()
  const example = join(folder, 'examples', 'chunks')
  await mkdir(example, { recursive: true })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  let text = await readFile(join(root, 'examples', 'chunks', 'drover.yaml'), 'utf8')
  for (const port of ['8090', '8092']) text = text.replaceAll(port, `${await freePort()}`)
  await writeFile(join(example, 'drover.yaml'), `${text}\nadmin: { address: '127.0.0.1:0' }\n`)
  const drover = await startDrover(context, ['up'], { folder: example })
  return { drover, url: await drover.url() }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

const book = 'The cat, a DOG; and bees chase an emu.\nZoo!'
const list = ['1 apple apple 3', '2 ant ant 2', '3 bee bee 4', '4 zoo zoo 1', ''].join('\n')

const send = (url: string, query: Record<string, string>, body: string | Buffer) =>
  fetch(`${url}/chunks?${new URLSearchParams(query)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: body as string,
  })

const textOf = async (url: string, chunk: string, body: string, more = {}) =>
  (await send(url, { chunk, as: 'text', wait: '', ...more }, body)).text()

const requestsOf = async (url: string) => (await (await fetch(`${url}/requests`)).json()) as View[]

test('examples/chunks serves the contract of the course', async (context) => {
  const { drover, url } = await startExample(context)

  await context.test('GET / shows the page', async () => {
    const page = await fetch(url)
    assert.equal(page.status, 200)
    assert.match(await page.text(), /<input[^>]+type="file"/)
  })
  await context.test('a chunk is a range, a letter, a set, several; nothing is a-z', () =>
    checkChunks(url),
  )
  await context.test('anything else is 400, and says what is allowed', async () => {
    for (const chunk of [
      '1',
      'a-',
      'a-c-d',
      'a,,b',
      '-',
      'é',
      'a b',
      '../x',
      `${'a'.repeat(5_000)}1`,
    ]) {
      const answer = await send(url, { chunk }, book)
      assert.equal(answer.status, 400, chunk)
      const { detail } = (await answer.json()) as { detail: string }
      assert.match(detail, /a range a-c, a letter a, a set acd, several.*a-c,d-z.*a-z/, chunk)
    }
  })
  await context.test('word lists are recognised; their words come as often as they count', () =>
    checkLists(url),
  )
  await context.test('the metadata has the words, the sums and the letters of each chunk', () =>
    checkMetadata(url),
  )
  await context.test('the queue is everyone’s: place, progress, estimate, cancel', () =>
    checkQueue(drover, url),
  )
  await context.test('a full disk is 507 for what is new, and nothing for what is done', () =>
    checkDisk(url),
  )
  await context.test('a storm of requests at random intervals is weathered', async () => {
    const file = join(root, 'examples', 'texts', 'opticks.txt')
    const words = ['chunks', 'storm', file, '--url', url, '--requests', '12', '--gap', '50']
    const { code, stdout, stderr } = await runDrover(words)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /12 of 12 requests done/)
  })
})

async function checkChunks(url: string): Promise<void> {
  assert.equal(await textOf(url, 'a-c', book), 'cat a and bees chase an')
  assert.equal(
    await textOf(url, 'Z-D', book),
    'The DOG emu Zoo',
    'case and direction do not matter',
  )
  assert.equal(await textOf(url, 'a', book), 'a and an')
  assert.equal(await textOf(url, 'zda', book), 'a DOG and an Zoo')
  assert.equal(
    await textOf(url, 'a-c,d-z', book),
    'cat a and bees chase an\nThe DOG emu Zoo',
    'each chunk in the order of the file',
  )
  assert.equal(await textOf(url, '', book), 'The cat a DOG and bees chase an emu Zoo')
  assert.equal(await textOf(url, 'x', book), '')
  assert.equal(await textOf(url, 'a-z', ''), '', 'an empty file has an empty result')
  const form = new FormData()
  form.set('chunk', 'c-a')
  form.set('as', 'text')
  form.set('file', new Blob([book]), 'book.txt')
  const answer = await fetch(`${url}/chunks?wait=yes`, { method: 'POST', body: form })
  assert.equal(await answer.text(), 'cat a and bees chase an')
  assert.match(answer.headers.get('content-disposition') ?? '', /attachment; filename="book\.txt/)
}

async function checkLists(url: string): Promise<void> {
  const draw = async (seed: string) => (await textOf(url, 'a-b', list, { seed })).split(' ')

  const words = await draw('1')
  const count = (word: string) => words.filter((one) => one === word).length

  assert.deepEqual(['apple', 'ant', 'bee', 'zoo'].map(count), [3, 2, 4, 0])
  assert.equal(words.length, 9)
  assert.deepEqual(await draw('1'), words, 'a seed decides the order')
  const others = await Promise.all(['2', '3', '4', '5'].map(draw))
  assert.ok(
    others.some((other) => other.join() !== words.join()),
    'the order is random',
  )
  assert.equal(
    await textOf(url, 'a-b', list, { list: 'no' }),
    'apple apple ant ant bee bee',
    'it may be said that it is none',
  )
}

async function checkMetadata(url: string): Promise<void> {
  const answer = await send(url, { chunk: 'a-b,z', as: 'manifest', name: 'l.txt', wait: '' }, list)
  const [head, first, second, end] = (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

  assert.equal(head.name, 'l.txt')
  assert.deepEqual([first.words, first.sum, second.words, second.sum], [3, 9, 1, 1])
  const letters = (line: { letters: number[] }) =>
    Object.fromEntries(
      [...'abelnoptz'].map((letter) => [letter, line.letters[letter.charCodeAt(0) - 97]]),
    )
  assert.deepEqual(letters(first), { a: 5, b: 4, e: 11, l: 3, n: 2, o: 0, p: 6, t: 2, z: 0 })
  assert.deepEqual(letters(second), { a: 0, b: 0, e: 0, l: 0, n: 0, o: 2, p: 0, t: 0, z: 1 })
  assert.equal(end.pieces, 2)
}

async function checkQueue(drover: RunningDrover, url: string): Promise<void> {
  const { services } = await drover.status()
  const backends = services.find(({ name }) => name === 'backends')?.replicas ?? []
  // The machine's own node may be an older one, which runs ours as its child.
  const pids = backends.flatMap(({ pid }) => descendants(pid))
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  try {
    const text = Buffer.alloc(3_000_000, `${book} `)
    for (const name of ['one', 'two', 'three']) await send(url, { name }, text)
    const open = async () => (await requestsOf(url)).filter(({ place }) => place !== undefined)
    await until('the first is worked on', async () => (await open())[0]?.state === 'working')

    const [first, second, third] = await open()
    assert.deepEqual(
      [first, second, third].map((view) => [view?.name, view?.place, view?.state]),
      [
        ['one', 0, 'working'],
        ['two', 1, 'waiting'],
        ['three', 2, 'waiting'],
      ],
    )
    assert.ok((first?.estimateMs ?? 0) < (third?.estimateMs ?? 0), 'who waits longer waits longer')
    assert.ok((first?.progress ?? 2) < 1)
    const seen = await Promise.all([1, 2].map(() => firstEvent(url)))
    for (const views of seen) assert.equal(views.length, (await requestsOf(url)).length)
    const early = await fetch(`${url}/requests/${second?.id}/result`)
    assert.equal(early.status, 409)
    for (const view of [second, first])
      assert.equal((await fetch(`${url}/requests/${view?.id}`, { method: 'DELETE' })).status, 204)
    await until('the third is worked on', async () => (await open())[0]?.name === 'three')
    assert.equal((await fetch(`${url}/requests/${first?.id}/result`)).status, 410)
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
  await until('the third is done', async () =>
    (await requestsOf(url)).some(({ name, state }) => name === 'three' && state === 'done'),
  )
}

/** The first thing that `GET /events` tells. */
async function firstEvent(url: string): Promise<View[]> {
  const answer = await fetch(`${url}/events`)
  let text = ''
  for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part
    if (text.includes('\n\n')) break
  }
  return JSON.parse(text.slice('data: '.length, text.indexOf('\n\n')))
}

async function checkDisk(url: string): Promise<void> {
  const full = (value: boolean) => fetch(`${url}/disk?full=${value}`, { method: 'PUT' })
  const done = (await requestsOf(url)).find(({ state }) => state === 'done')
  await full(true)

  assert.equal((await send(url, {}, book)).status, 507)
  assert.equal((await fetch(`${url}/requests/${done?.id}/result`)).status, 200)

  await full(false)
  assert.equal((await send(url, { wait: '' }, book)).status, 200)
}
