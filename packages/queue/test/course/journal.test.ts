import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Journal } from '../../src/course/journal.ts'
import { MemoryDisk } from '../../src/log/memory-disk.ts'

const name = 'course.journal'
const isFault = (code: string) => (error: unknown) => (error as { code?: string }).code === code

async function eventsOn(disk: MemoryDisk): Promise<number[]> {
  const events: number[] = []
  const journal = await Journal.open<number>(disk, name, (event) => events.push(event))
  await journal.close()
  return events
}

async function journalOf(disk: MemoryDisk, ...events: number[]): Promise<Journal<number>> {
  const journal = await Journal.open<number>(disk, name, () => {})
  for (const event of events) await journal.append(event)
  return journal
}

async function contentOf(disk: MemoryDisk): Promise<Buffer> {
  const file = await disk.open(name)
  const bytes = Buffer.alloc(await file.size())
  await file.read(bytes, 0)
  return bytes
}

test('events are there again in their order, those of one moment too', async () => {
  const disk = new MemoryDisk()
  const journal = await journalOf(disk, 1, 2)

  await Promise.all([3, 4, 5].map((event) => journal.append(event)))
  await journal.close()

  assert.deepEqual(await eventsOn(disk), [1, 2, 3, 4, 5])
})

test('after every power cut there is what was promised, in order, and nothing invented', async () => {
  const disk = new MemoryDisk()
  const journal = await journalOf(disk, 1, 2)
  let acknowledged = 2
  let states = 0
  const appended = [3, 4, 5, 6].map(async (event) => {
    await journal.append(event)
    acknowledged++
  })

  for (let turn = 0; turn < 12; turn++) {
    const promised = acknowledged
    for (const survivor of disk.crashStates(200)) {
      const events = await eventsOn(survivor)
      assert.ok(events.length >= promised, `${events} after ${promised} were promised`)
      assert.deepEqual(events, [1, 2, 3, 4, 5, 6].slice(0, events.length))
      states++
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(appended)

  assert.ok(states > 12)
})

test('a file cut at any byte of its last line opens with the lines before it', async () => {
  const whole = new MemoryDisk()
  await (await journalOf(whole, 1, 2, 3)).close()
  const bytes = await contentOf(whole)
  const lastLine = bytes.lastIndexOf(10, bytes.length - 2) + 1

  for (let length = lastLine; length < bytes.length; length++) {
    const disk = new MemoryDisk()
    const file = await disk.create(name)
    await file.write([bytes.subarray(0, length)], 0)
    assert.deepEqual(await eventsOn(disk), [1, 2])
    assert.equal((await contentOf(disk)).length, lastLine)
  }
})

test('a flipped bit before the last line is reported and not skipped', async () => {
  const disk = new MemoryDisk()
  await (await journalOf(disk, 1, 2, 3)).close()
  const bytes = await contentOf(disk)
  const file = await disk.open(name)
  const at = bytes.indexOf(10) + 4

  for (let bit = 0; bit < 8; bit++) {
    await file.write([Buffer.from([(bytes[at] ?? 0) ^ (1 << bit)])], at)
    await assert.rejects(eventsOn(disk), isFault('LOG_DAMAGED'))
  }
})

test('a file of something else is not touched', async () => {
  const disk = new MemoryDisk()
  const file = await disk.create(name)
  await file.write([Buffer.from('drover-journal 2\n')], 0)

  await assert.rejects(eventsOn(disk), isFault('FORMAT_UNKNOWN'))

  assert.equal((await contentOf(disk)).toString(), 'drover-journal 2\n')
})

test('after a failed write nothing is taken until it is opened again, and what was promised is there', async () => {
  for (const failure of ['EIO', 'ENOSPC', 'short'] as const)
    for (const change of [1, 2]) {
      const disk = new MemoryDisk()
      const journal = await journalOf(disk, 1, 2)
      disk.failAt(change, failure)

      await assert.rejects(journal.append(3), isFault('DISK_FAILED'))
      await assert.rejects(journal.append(4), isFault('DISK_FAILED'))
      await journal.close()
      const events: number[] = []
      const push = (event: number) => events.push(event)
      const again = await Journal.open<number>(disk, name, push, journal.durableBytes)
      await again.append(5)
      await again.close()

      assert.deepEqual(events, [1, 2])
      assert.deepEqual(await eventsOn(disk), [1, 2, 5])
    }
})

test('it is written anew from the state when it has grown large', async () => {
  const disk = new MemoryDisk()
  const journal = await Journal.open<string>(disk, name, () => {})
  const large = 'x'.repeat(1_000_000)
  const rewrite = () => journal.rewriteWhenLarge(() => ['sum'])

  for (let count = 0; count < 9; count++) await journal.append(large)
  const rewriting = rewrite()
  const meanwhile = journal.append('after')
  await Promise.all([rewriting, meanwhile, rewrite()])
  await journal.append('last')
  await journal.close()

  const events: string[] = []
  await Journal.open<string>(disk, name, (event) => events.push(event))
  assert.deepEqual(events, ['sum', 'after', 'last'])
})
