import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '@drover/kernel'
import { chunkLocally } from '../../src/chunk-locally.ts'
import { joinChunks } from '../../src/join/join.ts'
import { parseInput } from '../../src/source/input.ts'
import { parseWay } from '../../src/way/parse-way.ts'
import { makeFolder } from '../local.ts'

const gib = 2 ** 30
const fileBytes = 4.5 * gib

const run = (program: string, words: readonly string[]) =>
  execFileSync(program, words, { encoding: 'utf8', maxBuffer: 2 ** 26 })

/** A file of zeros that takes no room, with a word at each of some places. */
function makeSparse(path: string, words: ReadonlyMap<number, string>): void {
  const file = openSync(path, 'w')
  ftruncateSync(file, fileBytes)
  for (const [at, word] of words) writeSync(file, word, at)
  closeSync(file)
}

function readWord(path: string, at: number, bytes: number): string {
  const file = openSync(path, 'r')
  const word = Buffer.alloc(bytes)
  readSync(file, word, 0, bytes, at)
  closeSync(file)
  return word.toString()
}

// The first chunk is over 4 GiB, the second begins beyond 4 GiB: both need ZIP64.
for (const as of ['zip', 'tar'] as const)
  test(`a ${as} with a chunk over 4 GiB, and one after it, is opened by others and by join`, async (t) => {
    const folder = makeFolder(t)
    const [file, target, restored] = ['input', `out.${as}`, 'restored'].map((name) =>
      join(folder, name),
    ) as [string, string, string]
    const words = new Map([
      [0, 'first'],
      [4.2 * gib - ((4.2 * gib) % 1), 'later'],
      [fileBytes - 4, 'last'],
    ])
    makeSparse(file, words)
    const first = 4.25 * gib

    await chunkLocally(
      {
        ...{ file, target, output: as, name: 'large', sums: true },
        ...{ way: parseWay(`bytes ${first}`), input: parseInput() },
      },
      { clock: systemClock, chunksMax: 10, advance: () => {} },
    )

    const listed = run('bsdtar', ['-tvf', target])
    assert.match(listed, new RegExp(` ${first} .*large.000001`))
    assert.match(listed, new RegExp(` ${fileBytes - first} .*large.000002`))
    if (as === 'zip') {
      assert.match(run('unzip', ['-tq', target]), /No errors detected/)
      const script =
        'import sys,zipfile; print([i.file_size for i in zipfile.ZipFile(sys.argv[1]).infolist()])'
      assert.match(run('python3', ['-c', script, target]), new RegExp(`^\\[${first}, `))
    } else {
      assert.match(run('tar', ['-tvf', target]), new RegExp(` ${first} .*large.000001`))
    }
    await joinChunks(target, restored, () => {})
    assert.equal(statSync(restored).size, fileBytes)
    for (const [at, word] of words) assert.equal(readWord(restored, at, word.length), word)
  })
