import assert from 'node:assert/strict'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { askCourse, serveCourse } from './harness/course.ts'
import { temporaryFolder } from './harness/drover.ts'
import { runToEnd } from './harness/processes.ts'
import { root } from './harness/project.ts'

// Clients in other languages, as the course's are: curl, and Python with its own library alone.
const clients = join(root, 'test', 'fixtures', 'course')
const example = join(root, 'examples', 'queue-2p2c')

/** Runs a program to its end and returns what it said. */
async function run(program: string, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(program, words, { timeoutMs: 120_000 })
  assert.equal(code, 0, stdout + stderr)
  return stdout + stderr
}

const python = (script: string, words: readonly string[]) =>
  run('python3', [join(clients, script), ...words])

test('every request of the course, byte by byte, by curl', async (context) => {
  const { primary, readOnly } = await serveCourse(context)

  const said = await run('sh', [join(clients, 'testAPI.sh'), primary, readOnly])

  assert.match(said, /All requests are answered as they must be/)
})

test('two producers and two consumers in Python read what was sent, in order', async (context) => {
  const { primary, readOnly } = await serveCourse(context)
  const folder = await temporaryFolder()
  for (const name of ['producer_1.txt', 'producer_2.txt'])
    await copyFile(join(example, name), join(folder, name))

  await run('sh', [join(clients, 'test2P2C.sh'), primary, readOnly, folder])

  const [first = [], second = []] = await Promise.all(
    [1, 2].map(async (id) => {
      const text = await readFile(join(folder, `consumer_${id}.txt`), 'utf8')
      assert.match(text, /^(T\d:P\d {5}\S+\n){25}$/)
      return text.trimEnd().split('\n')
    }),
  )
  for (const partition of ['T1:P1', 'T1:P2', 'T2:P1', 'T2:P2']) {
    const ofFirst = first.filter((line) => line.startsWith(partition))
    assert.ok(ofFirst.length > 0)
    assert.deepEqual(
      second.filter((line) => line.startsWith(partition)),
      ofFirst,
    )
  }
})

test('a consumer in Python goes on after a kill of all, where it was', async (context) => {
  const before = await serveCourse(context)
  const folder = await temporaryFolder()
  await askCourse(before.primary, '/topics/add', { topic: 'T1', part: 'P1' })
  const lines = (from: number) =>
    Array.from({ length: 10 }, (_, at) => `21:52:23\tMSG${from + at}\t\tP1\t\tT1\n`).join('')
  const log = ['--log_loc', folder]
  const registered = await askCourse(before.readOnly, '/consumer/register', {
    topic: 'T1',
    part: 'P1',
  })
  const ids = ['--ids', String(registered[1].message)]
  await writeFile(join(folder, 'producer_1.txt'), lines(0))
  const produced = ['--id', '1', '--topics', 'T1:P1', ...log, '--broker']
  await python('runproduce.py', [...produced, before.primary])
  const consumed = ['--id', '1', ...ids, ...log, '--broker']
  await python('runconsume.py', [...consumed, before.readOnly, '--count', '4'])

  const { primary, readOnly } = await before.restart()
  await writeFile(join(folder, 'producer_1.txt'), lines(10))
  await python('runproduce.py', [...produced, primary])
  await python('runconsume.py', [...consumed, readOnly, '--count', '16'])

  const text = await readFile(join(folder, 'consumer_1.txt'), 'utf8')
  const wanted = Array.from({ length: 20 }, (_, at) => `T1:P1     MSG${at}\n`)
  assert.equal(text, wanted.join(''))
})

test('a producer in Python is told of a line that is out of order, and what it sent stays', async (context) => {
  const { primary, readOnly } = await serveCourse(context)
  const folder = await temporaryFolder()
  for (const part of ['P1', 'P2']) await askCourse(primary, '/topics/add', { topic: 'T1', part })
  await askCourse(readOnly, '/consumer/register', { topic: 'T1' })
  const line = (message: string, part: string) => `21:52:23\t${message}\t\t${part}\t\tT1\n`
  await writeFile(
    join(folder, 'producer_1.txt'),
    line('a', 'P1') + line('b', 'P2') + line('c', 'P2'),
  )
  const words = ['--id', '1', '--topics', 'T1:P1', 'T1:P2', '--log_loc', folder]

  const failed = python('runproduce.py', [...words, '--broker', primary])

  await assert.rejects(failed, /log file:incompitable.*line 3/s)
  assert.equal((await askCourse(readOnly, '/size?consumer_id=0'))[1].message, 2)
})
