import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createNamer } from '../../src/names.ts'
import { chunkBytes, makeFolder } from '../local.ts'
import { makeText } from '../texts.ts'

const run = (program: string, words: readonly string[]) =>
  execFileSync(program, words, { encoding: 'utf8', maxBuffer: 2 ** 28 })

const text = Buffer.from(makeText(400_000))

test('a zip opens in unzip, Python and bsdtar, and holds the bytes', async (t) => {
  const folder = makeFolder(t)
  const zip = await chunkBytes(folder, text, { by: 'lines 3', as: 'zip', name: 'Übung 1.txt' })

  assert.match(run('unzip', ['-t', zip]), /No errors detected/)
  assert.match(run('python3', ['-m', 'zipfile', '-t', zip]), /Done testing/)
  run('bsdtar', ['-xf', zip, '-C', folder])
  const nameOf = createNamer('Übung 1.txt')
  const count = run('bsdtar', ['-tf', zip]).trim().split('\n').length - 1
  const parts = Array.from({ length: count }, (_, index) =>
    readFileSync(join(folder, nameOf(index))),
  )
  assert.ok(Buffer.concat(parts).equals(text))
})

test('a zip of over 65,535 entries is a ZIP64 that all of them open', async (t) => {
  const folder = makeFolder(t)
  const zip = await chunkBytes(folder, text, { by: 'bytes 5', as: 'zip' })
  const count = Math.ceil(text.length / 5) + 1

  assert.ok(count > 65_535)
  assert.match(run('unzip', ['-tq', zip]), /No errors detected/)
  assert.equal(
    run('python3', [
      '-c',
      'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(len(z.namelist()), z.testzip())',
      zip,
    ]).trim(),
    `${count} None`,
  )
  assert.equal(run('bsdtar', ['-tf', zip]).trim().split('\n').length, count)
})

test('a tar opens in tar and bsdtar, long names too', async (t) => {
  for (const name of ['in put.txt', `${'long '.repeat(30)}ä.txt`]) {
    const folder = makeFolder(t)
    const tar = await chunkBytes(folder, text, { by: 'lines 50', as: 'tar', name })

    const listed = run('tar', ['-tvf', tar, '--quoting-style=literal']).trim().split('\n')
    assert.ok(listed[0]?.endsWith(createNamer(name)(0)), listed[0])
    assert.equal(run('bsdtar', ['-tf', tar]).trim().split('\n').length, listed.length)
    run('tar', ['-xf', tar, '-C', folder])
    assert.ok(
      text.subarray(0, 20).equals(readFileSync(join(folder, createNamer(name)(0))).subarray(0, 20)),
    )
  }
})
