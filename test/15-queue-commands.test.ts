import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { serveCourse } from './harness/course.ts'
import { runDrover } from './harness/drover.ts'
import { spawnBeside } from './harness/processes.ts'
import { bin } from './harness/project.ts'

/** Runs `drover queue WORDS` against a queue; returns what it printed, line by line. */
const queue = (address: string, ...words: string[]) => queueWithInput(address, undefined, ...words)

/** The same with lines on standard input. */
async function queueWithInput(
  address: string,
  input: string | undefined,
  ...words: string[]
): Promise<string[]> {
  const line = ['queue', ...words, '--queue', address]
  const { code, stdout, stderr } = await runDrover(line, input === undefined ? {} : { input })
  assert.equal(code, 0, stderr)
  return stdout.trimEnd().split('\n')
}

test('drover queue: topics, send, read, work, lag and purge, each as a process', async (context) => {
  const { binary } = await serveCourse(context)

  assert.deepEqual(await queue(binary, 'topics'), ['no topics yet'])
  assert.deepEqual(await queue(binary, 'topics', 'orders', '--partitions', '2'), [
    'orders  broker0 broker0',
  ])
  assert.deepEqual(await queue(binary, 'send', 'orders', 'two boxes', '--key', 'ann'), ['1 stored'])
  const lines = Array.from({ length: 2_500 }, (_, at) => `line ${at}`)
  assert.deepEqual(
    await queueWithInput(binary, `${lines.join('\n')}\n`, 'send', 'orders', '--key', 'ann'),
    ['1000 stored', '2000 stored', '2500 stored'].slice(-1),
  )

  const read = await queue(binary, 'read', 'orders')
  const partition = read[0]?.split(':')[0] ?? ''
  assert.deepEqual(read, [
    `${partition}:0  two boxes`,
    ...lines.map((line, at) => `${partition}:${at + 1}  ${line}`),
  ])
  assert.deepEqual(
    await queue(binary, 'read', 'orders', '--partition', partition, '--offset', '2499'),
    [`${partition}:2499  line 2498`, `${partition}:2500  line 2499`],
  )

  assert.deepEqual(await queue(binary, 'work', 'orders', '--count', '2', '--keep'), [
    `${partition}:0  two boxes`,
    `${partition}:1  line 0`,
  ])
  const worked = await queue(binary, 'work', 'orders', '--count', '150')
  assert.deepEqual(worked, read.slice(0, 150))
  const lag = await queue(binary, 'lag', 'orders')
  assert.ok(lag.includes(`workers (work)  partition ${partition}  at 150  2351 behind`), `${lag}`)

  assert.deepEqual(await queue(binary, 'purge', 'orders'), ['2501 removed'])
  assert.deepEqual(await queue(binary, 'read', 'orders'), [''])
  assert.deepEqual(await queue(binary, 'send', 'orders', 'later', '--key', 'ann'), ['1 stored'])
  assert.deepEqual(await queue(binary, 'work', 'orders'), [`${partition}:2501  later`])
})

test('drover queue read --follow shows what comes', async (context) => {
  const { binary } = await serveCourse(context)
  await queue(binary, 'topics', 'news', '--partitions', '1')
  const words = [bin, 'queue', 'read', 'news', '--follow', '--queue', binary]
  const { says } = spawnBeside(context, process.execPath, words)

  for (const news of ['first', 'second']) {
    await queue(binary, 'send', 'news', news)
    await says(`the ${news} news`, new RegExp(`^0:\\d {2}${news}$`, 'm'))
  }
})

test('drover queue repair takes out what is spoilt, says so, and the queue starts again', async (context) => {
  const before = await serveCourse(context)
  const { binary, data } = before
  await queue(binary, 'topics', 'orders', '--partitions', '1')
  for (const message of ['first', 'second', 'third']) await queue(binary, 'send', 'orders', message)
  const running = await runDrover(['queue', 'repair', '--data', data])
  assert.notEqual(running.code, 0)
  assert.match(running.stderr, /is used by the process/)
  await before.stop()
  const sound = await runDrover(['queue', 'repair', '--data', data])
  assert.equal(sound.stdout, 'all is sound\n')

  const store = join(data, 'brokers', 'broker0', 'data')
  const folder = (await readdir(store)).find((name) => name.startsWith('p')) ?? ''
  const segment = join(store, folder, '0000000000000000.log')
  const bytes = await readFile(segment)
  const at = bytes.indexOf('second')
  bytes.write('sEcond', at)
  await writeFile(segment, bytes)
  const { code, stdout } = await runDrover(['queue', 'repair', '--data', data])

  assert.equal(code, 0)
  assert.match(stdout, /0{16}\.log: \d+ bytes at \d+ are spoilt; offsets 1 to 1 went with them/)
  assert.match(stdout, /they are in .*spoilt.*\n1 repaired\n$/)
  const after = await before.restart()
  assert.deepEqual(await queue(after.binary, 'read', 'orders'), ['0:0  first', '0:2  third'])
  assert.deepEqual(await queue(after.binary, 'work', 'orders', '--count', '2'), [
    '0:0  first',
    '0:2  third',
  ])
})

test('drover queue says clearly what is wrong, and ends with a code', async (context) => {
  const { binary } = await serveCourse(context)
  const failed = async (...words: string[]) => {
    const { code, stderr } = await runDrover(['queue', ...words])
    assert.notEqual(code, 0)
    return stderr
  }

  assert.match(await failed('read', 'none', '--queue', binary), /no topic is called "none"/)
  assert.match(await failed('topics', '../etc', '--queue', binary), /cannot name a topic/)
  assert.match(await failed('topics', 'x', '--partitions', '0'), /--partitions/)
  assert.match(await failed('work', 'x', '--count', 'many'), /--count/)
  assert.match(await failed('read', 'x', '--queue', 'nonsense'), /--queue/)
  assert.match(await failed('serve', '--brokers', '1000'), /--brokers/)
  assert.match(await failed('serve', '--engine', 'kafka'), /kafka/)
  const serving = runDrover([
    ...['queue', 'serve', '--data', '/proc/nowhere', '--listen', '127.0.0.1:0'],
    ...['--tcp', '127.0.0.1:0'],
  ])
  const { code, stderr } = await serving
  assert.equal(typeof code, 'number', 'it ended by itself')
  assert.notEqual(code, 0)
  assert.match(stderr, /\/proc\/nowhere.* cannot be made/)
  assert.doesNotMatch(stderr, /\n {4}at /, 'a stack trace')
})
