import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '@drover/kernel'
import { chunkLocally } from '../src/chunk-locally.ts'
import { joinChunks } from '../src/join/join.ts'
import { parseInput } from '../src/source/input.ts'
import { parseWay } from '../src/way/parse-way.ts'
import type { WayOptions } from '../src/way/way.ts'
import { chunkBytes, later, makeFolder } from './local.ts'
import { makeText } from './texts.ts'

// Mounting needs root and Linux, so this counts among the tests against foreign servers.

/** A folder that is a disk of 8 MiB by itself. */
function smallDisk(t: TestContext): string {
  const folder = makeFolder(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder])
  later(t, () => execFileSync('umount', ['-l', folder]))
  return folder
}

const text = Buffer.from(makeText(12_000_000))
const dealt: WayOptions = { dealt: true }

const cases: [string, 'files' | 'zip' | 'tar' | 'pack' | 'ndjson', WayOptions?][] = [
  ['bytes 100000', 'files'],
  ['bytes 5000000', 'files'],
  ['lines 10', 'files'],
  ['parts 3', 'files', dealt],
  ['letters a-c,d-z', 'files'],
  ['bytes 100000', 'zip'],
  ['bytes 5000000', 'zip'],
  ['lines 10', 'zip'],
  ['parts 3', 'tar', dealt],
  ['bytes 3000000', 'tar'],
  ['cdc', 'pack'],
  ['sentences 1000/200', 'ndjson'],
]

for (const [by, output, options = {}] of cases)
  test(`${by} ${JSON.stringify(options)} as ${output} on a full disk leaves nothing`, async (t) => {
    const disk = smallDisk(t)
    const input = join(makeFolder(t), 'input')
    writeFileSync(input, text)
    const target = join(disk, 'result')

    const chunking = chunkLocally(
      {
        ...{ file: input, name: 'x', target, output, sums: true },
        ...{ way: parseWay(by, options), input: parseInput() },
      },
      { clock: systemClock, chunksMax: 1_000_000, advance: () => {} },
    )

    await assert.rejects(chunking, { code: 'DISK_FULL' })
    assert.deepEqual(readdirSync(disk), [])
  })

for (const [by, options] of [['bytes 100000'], ['bytes 5000000'], ['parts 3', dealt]] as const)
  test(`a join of ${by} on a full disk leaves nothing`, async (t) => {
    const disk = smallDisk(t)
    const folder = makeFolder(t)
    mkdirSync(join(disk, 'results'))
    const chunks = await chunkBytes(folder, text, { by, as: 'pack', options: options ?? {} })

    const joining = joinChunks(chunks, join(disk, 'results', 'restored'), () => {})

    await assert.rejects(joining, { code: 'DISK_FULL' })
    assert.deepEqual(readdirSync(join(disk, 'results')), [])
  })
