import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { askCourse as ask, serveCourse } from './harness/course.ts'
import { copyExample } from './harness/examples.ts'
import { runToEnd } from './harness/processes.ts'

/** Runs an example to its end and returns the lines of each consumer's file. */
async function runExample(name: string, broker: string, consumers: number): Promise<string[][]> {
  const folder = await copyExample(name, [])
  const words = ['run.js', '--broker', broker, '--idle', '60s']
  const ran = await runToEnd(process.execPath, words, { cwd: folder, timeoutMs: 120_000 })
  assert.equal(ran.code, 0, ran.stdout + ran.stderr)
  return Promise.all(
    Array.from({ length: consumers }, async (_, index) => {
      const text = await readFile(join(folder, `consumer_${index + 1}.txt`), 'utf8')
      assert.match(text, /^(T\d:P\d {5}\S+\n)*$/)
      return text.trimEnd().split('\n')
    }),
  )
}

/** The lines of one partition, as `T1:P1`, in their order. */
const linesOf = (lines: readonly string[] | undefined, partition: string) =>
  (lines ?? []).filter((line) => line.startsWith(partition))

test('examples/queue-2p2c: both consumers read every message, each partition in one order', async (context) => {
  const { primary } = await serveCourse(context)

  const [first, second] = await runExample('queue-2p2c', primary, 2)

  const sent = [1, 2].flatMap((producer) =>
    Array.from({ length: producer === 1 ? 14 : 11 }, (_, at) => `${'AB'[producer - 1]}${at + 1}`),
  )
  for (const lines of [first, second])
    assert.deepEqual(lines?.map((line) => line.split(/\s+/)[1]).sort(), sent.toSorted())
  for (const partition of ['T1:P1', 'T1:P2', 'T2:P1', 'T2:P2'])
    assert.deepEqual(linesOf(first, partition), linesOf(second, partition))
  const ofA = linesOf(first, 'T1:P1').filter((line) => line.includes('A'))
  assert.deepEqual(
    ofA,
    ['A1', 'A5', 'A9', 'A13'].map((message) => `T1:P1     ${message}`),
  )
})

test('examples/queue-5p3c: each consumer reads its partitions, over four brokers', async (context) => {
  const { primary } = await serveCourse(context)

  const [all, second, third] = await runExample('queue-5p3c', primary, 3)

  assert.equal(all?.length, 50)
  assert.equal(new Set(all?.map((line) => line.split(/\s+/)[1])).size, 50)
  for (const partition of ['T2:P1', 'T2:P2', 'T1:P1'])
    assert.deepEqual(linesOf(second, partition), linesOf(all, partition))
  for (const partition of ['T3:P1', 'T3:P2', 'T3:P3', 'T1:P2'])
    assert.deepEqual(linesOf(third, partition), linesOf(all, partition))
  assert.equal(second?.length, linesOf(all, 'T2').length + linesOf(all, 'T1:P1').length)
  assert.equal(third?.length, linesOf(all, 'T3').length + linesOf(all, 'T1:P2').length)
  const [, topics] = await ask(primary, '/topics')
  assert.deepEqual(Object.keys(topics.message as object), ['T1', 'T2', 'T3'])
})

test('ids, turns, positions and messages survive a kill, and brokers come and go', async (context) => {
  const before = await serveCourse(context)
  for (const part of ['P1', 'P2']) await ask(before.primary, '/topics/add', { topic: 'T1', part })
  await ask(before.primary, '/producer/register', { topic: 'T1' })
  await ask(before.readOnly, '/consumer/register', { topic: 'T1' })
  for (const message of ['a', 'b', 'c'])
    await ask(before.primary, '/producer/produce', { producer_id: 0, message })
  await ask(before.readOnly, '/consumer/consume?consumer_id=0')

  const { primary, readOnly } = await before.restart()
  const added = await ask(primary, '/brokers/add?broker_name=broker1')
  const tested = await ask(primary, '/brokers/test?broker_name=broker1')
  const removed = await ask(primary, '/brokers/rm?broker_name=broker0')

  assert.deepEqual([added[0], tested[0], removed[0]], [200, 200, 200])
  assert.deepEqual((await ask(primary, '/topics'))[1].message, {
    T1: { P1: 'broker1', P2: 'broker1' },
  })
  const read: unknown[] = []
  for (let call = 0; call < 2; call++)
    read.push((await ask(readOnly, '/consumer/consume?consumer_id=0'))[1].message)
  assert.deepEqual(read, ['b', 'c'])
  assert.deepEqual((await ask(primary, '/producer/produce', { producer_id: 0, message: 'd' }))[1], {
    message: 'T1xP2:Success',
    status: 'success',
  })
  assert.deepEqual(
    (await ask(primary, '/brokers/rm?broker_name=all'))[1].message,
    'Removed all brokers',
  )
  assert.deepEqual((await ask(primary, '/brokers'))[1].message, [])
})
