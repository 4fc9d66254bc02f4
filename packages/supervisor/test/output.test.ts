import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@drover/kernel'
import { createOutput } from '../src/output.ts'

function create(bytesMax = 10_000) {
  return createOutput(
    createManualClock(1_000),
    () => bytesMax,
    () => {},
  )
}

const bytes = (text: string) => Buffer.from(text)

test('lines of all replicas come in the order in which they were printed', () => {
  const output = create()
  const one = output.open('web/1', 'one')
  const two = output.open('web/2', 'two')

  one.write('stdout', bytes('a\n'))
  two.write('stderr', bytes('b\n'))
  one.write('stdout', bytes('c\n'))

  assert.deepEqual(output.lines(), [
    { atMs: 1_000, replica: 'one', stream: 'stdout', text: 'a' },
    { atMs: 1_000, replica: 'two', stream: 'stderr', text: 'b' },
    { atMs: 1_000, replica: 'one', stream: 'stdout', text: 'c' },
  ])
  assert.deepEqual(
    output.lines('two').map(({ text }) => text),
    ['b'],
  )
})

test('what is kept stays within the bound, and it is the newest', () => {
  const output = create(10_000)
  const one = output.open('web/1', 'one')

  for (let line = 0; line < 100_000; line++) one.write('stdout', bytes(`line ${line}\n`))

  const kept = output.lines()
  assert.ok(kept.length > 80 && kept.length < 200, `${kept.length}`)
  assert.equal(kept.at(-1)?.text, 'line 99999')
})

test('the output of the last 20 dead is kept, and no more', () => {
  const output = create()
  for (let dead = 0; dead < 30; dead++) {
    const one = output.open(`web/${dead}`, `${dead}`)
    one.write('stdout', bytes('x\n'))
    one.end()
    one.end()
  }

  const names = output.lines().map(({ replica }) => replica)

  assert.deepEqual(
    names,
    Array.from({ length: 20 }, (_, index) => `${index + 10}`),
  )
})

test('what a replica printed just before its end is kept, although it comes after it', () => {
  const output = create()
  const one = output.open('web/1', 'one')
  one.end()

  one.write('stderr', bytes('last words\n'))

  assert.deepEqual(
    output.lines('one').map(({ text }) => text),
    ['last words'],
  )
})

test('followers hear each line until they stop, and the same listener may follow twice', () => {
  const output = create()
  const one = output.open('web/1', 'one')
  const heard: string[] = []
  const listener = ({ text }: { text: string }) => heard.push(text)
  const stopFirst = output.follow(listener)
  const stopSecond = output.follow(listener)

  one.write('stdout', bytes('a\n'))
  stopFirst()
  one.write('stdout', bytes('b\n'))
  stopSecond()
  one.write('stdout', bytes('c\n'))

  assert.deepEqual(heard, ['a', 'a', 'b'])
})
