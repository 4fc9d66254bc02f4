import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseAddress, systemClock } from '@drover/kernel'
import { runConsume } from '../../src/course/cli/consume.ts'
import { runProduce } from '../../src/course/cli/produce.ts'
import { type CourseUnderTest, startCourse } from './course-harness.ts'

const incompatible =
  'log file:incompitable, make sure msg for topics are in order for a perticular time'

async function folderOf(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-course-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const line = (message: string, part: string, topic: string) =>
  `21:52:23\t${message}\t\t${part}\t\t${topic}\n`

function produce(course: CourseUnderTest, logFolder: string, ...topics: string[]) {
  const broker = parseAddress(course.api().primary)
  return runProduce({ id: 1, topics, broker, logFolder, clock: systemClock, patienceMs: 300 })
}

function consume(course: CourseUnderTest, logFolder: string, ...topics: string[]) {
  const ready = Promise.withResolvers<readonly number[]>()
  const broker = parseAddress(course.api().readOnly)
  const options = { id: 1, topics, broker, logFolder, clock: systemClock, idleMs: 300 }
  const done = runConsume({ ...options, onReady: ready.resolve })
  return { ready: () => Promise.race([ready.promise, done]), done }
}

test('lines go to their topics in order, and come out byte by byte as the course writes them', async (context) => {
  const course = await startCourse(context)
  const folder = await folderOf(context)
  for (const part of ['P1', 'P2']) await course.ask('/topics/add', { topic: 'T2', part })
  await course.ask('/topics/add', { topic: 'T1', part: 'P1' })
  await writeFile(
    join(folder, 'producer_1.txt'),
    line('MSG1', 'P1', 'T1') +
      line('MSG2', '*', 'T2') +
      '  21:52:24 MSG3  P1\tT1\r\n\n' +
      line('MSG4', '*', 'T2') +
      '21:52:25\tMSG5\t\tP1\t\tT1',
  )
  const consumer = consume(course, folder, 'T1:P1', 'T2:*')
  await consumer.ready()

  const sent = await produce(course, folder, 'T1:P1', 'T2:*')
  const read = await consumer.done

  assert.equal(sent, 5)
  assert.equal(read, 5)
  assert.deepEqual(course.queue.stored('T1', 0), ['MSG1', 'MSG3', 'MSG5'])
  assert.deepEqual(
    [0, 1].map((part) => course.queue.stored('T2', part)),
    [['MSG2'], ['MSG4']],
  )
  const written = await readFile(join(folder, 'consumer_1.txt'), 'utf8')
  const lines = written.split('\n')
  assert.equal(lines.pop(), '')
  assert.deepEqual(lines.toSorted(), [
    'T1:P1     MSG1',
    'T1:P1     MSG3',
    'T1:P1     MSG5',
    'T2:P1     MSG2',
    'T2:P2     MSG4',
  ])
  const ofT1 = lines.filter((text) => text.startsWith('T1'))
  assert.deepEqual(ofT1, ['T1:P1     MSG1', 'T1:P1     MSG3', 'T1:P1     MSG5'])
})

const outOfOrder: [string, string, number][] = [
  ['another topic', line('m1', 'P1', 'T1') + line('m2', 'P1', 'T1'), 2],
  ['another partition', line('m1', 'P2', 'T1'), 1],
  ['a partition for a wildcard', line('m1', 'P1', 'T1') + line('m2', 'P1', 'T2'), 2],
  ['a wildcard for a partition', line('m1', '*', 'T1'), 1],
  ['too few words', `${line('m1', 'P1', 'T1')}\n21:52:23 m2 T2\n`, 3],
  ['too many words', line('m 1', 'P1', 'T1'), 1],
]

for (const [what, text, number] of outOfOrder)
  test(`a line out of order ends it with its number, what was sent stays sent: ${what}`, async (context) => {
    const course = await startCourse(context)
    const folder = await folderOf(context)
    await course.ask('/topics/add', { topic: 'T2', part: 'P1' })
    await writeFile(join(folder, 'producer_1.txt'), text)

    await assert.rejects(produce(course, folder, 'T1:P1', 'T2:*'), (error: Error) => {
      assert.ok(error.message.startsWith(`${incompatible}: line ${number} of `), error.message)
      return true
    })

    assert.deepEqual(course.queue.stored('T1', 0), number > 1 ? ['m1'] : [])
    assert.deepEqual(course.queue.stored('T2', 0), [])
  })

test('a topic without partitions, a bad word and a missing file are said clearly', async (context) => {
  const course = await startCourse(context)
  const folder = await folderOf(context)

  await assert.rejects(
    produce(course, folder, 'T7:*'),
    /^Fault: T7 does not exist thus no partitions/,
  )
  await assert.rejects(produce(course, folder, 'T1'), /"T1" is no TOPIC:PARTITION/)
  await assert.rejects(produce(course, folder, 'T1:P1:P2'), /is no TOPIC:PARTITION/)
  await assert.rejects(produce(course, folder), /no topics/)
  await assert.rejects(produce(course, folder, 'Tx:P1'), /is not allowed/)
  await assert.rejects(produce(course, folder, 'T1:P1'), /producer_1.txt cannot be read/)
  await assert.rejects(
    consume(course, folder, 'T9:P1').done,
    /T9:P1 does not exist, thus can not register as consumer/,
  )
  await assert.rejects(consume(course, join(folder, 'none'), 'T1:P1').done, /cannot be written/)
})

test('a manager that is away is waited for, and given up after a while', async (context) => {
  const course = await startCourse(context)
  const folder = await folderOf(context)
  await writeFile(join(folder, 'producer_1.txt'), line('m1', 'P1', 'T1'))
  const broker = parseAddress(course.api().primary)
  await course.api().stop()
  const run = { id: 1, topics: ['T1:P1'], broker, logFolder: folder, clock: systemClock }

  await assert.rejects(
    runProduce({ ...run, patienceMs: 100 }),
    (error: { code?: string }) => error.code === 'BROKER_UNREACHABLE',
  )
})

test('a message of several lines stays one line of the file', async (context) => {
  const course = await startCourse(context)
  const folder = await folderOf(context)
  await course.ask('/producer/register', { topic: 'T1', part: 'P1' })
  const consumer = consume(course, folder, 'T1:P1')
  await consumer.ready()

  await course.ask('/producer/produce', { producer_id: 0, message: 'a\nT1:P1     b' })
  await consumer.done

  const written = await readFile(join(folder, 'consumer_1.txt'), 'utf8')
  assert.equal(written, 'T1:P1     a\\nT1:P1     b\n')
})
