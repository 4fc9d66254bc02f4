import assert from 'node:assert/strict'
import type { FileHandle } from 'node:fs/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { writeBlocks, writeWhole } from '../../src/files/whole-write.ts'
import { dealBack } from '../../src/join/deal-back.ts'
import { inPlace } from '../../src/join/in-place.ts'
import type { ManifestHead, ManifestPiece } from '../../src/join/manifest-lines.ts'
import { ShortFile } from './short-file.ts'

const anyBlocks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 })
const anyShare = fc.integer({ min: 1, max: 9 })

test('blocks are written whole, however little of them a write takes', async () => {
  const property = fc.asyncProperty(anyBlocks, anyShare, async (blocks, most) => {
    const file = new ShortFile(most)
    await writeBlocks(file, blocks)
    assert.deepEqual(file.bytes, Buffer.concat(blocks))
  })
  await fc.assert(property)
})

test('bytes are written whole at their place, however little of them a write takes', async () => {
  const property = fc.asyncProperty(anyBlocks, anyShare, async (blocks, most) => {
    const file = new ShortFile(most)
    let at = 0
    for (const block of blocks) {
      await writeWhole(file, block, at)
      at += block.length
    }
    assert.deepEqual(file.bytes, Buffer.concat(blocks))
  })
  await fc.assert(property)
})

for (const write of [
  (file: ShortFile) => writeBlocks(file, [Buffer.from('x')]),
  (file: ShortFile) => writeWhole(file, Buffer.from('x'), 0),
])
  test('a disk that takes nothing is full, and is not asked for ever', async () => {
    await assert.rejects(write(new ShortFile(0)), { code: 'ENOSPC' })
  })

const head: ManifestHead = {
  ...{ name: 'x', bytes: 0, sha256: undefined, restores: 'offsets' },
  ...{ before: 0, beforeFirst: false, after: 0, separator: 10 },
}

function pieceOf(i: number, offset: number, { length }: Buffer): ManifestPiece {
  return { i, offset, length, sha256: '', name: 'x', content: undefined }
}

const asFile = (file: ShortFile) => file as unknown as FileHandle

for (const lengths of [
  [3, 1_000, 20],
  [10, 3 * 2 ** 20, 5],
])
  test(`join writes pieces of ${lengths} bytes whole, however little a write takes`, async () => {
    const parts = lengths.map((length, index) => Buffer.alloc(length, `${index} part `))
    const whole = Buffer.concat(parts)
    const file = new ShortFile(9_999)
    const writer = inPlace({ ...head, bytes: whole.length })

    let at = 0
    for (const [index, part] of parts.entries()) {
      await writer.write(asFile(file), pieceOf(index, at, part), part, 0)
      at += part.length
    }
    await writer.finish(asFile(file))

    assert.ok(file.bytes.equals(whole))
  })

test('join deals lines back whole, however little a write takes', async () => {
  const lines = Array.from({ length: 3_000 }, (_, line) => `line ${line}\n`)
  const whole = Buffer.from(lines.join(''))
  const file = new ShortFile(7)
  const writer = dealBack({ ...head, bytes: whole.length })

  for (const i of [0, 1]) {
    const part = Buffer.from(lines.filter((_, line) => line % 2 === i).join(''))
    await writer.write(asFile(file), pieceOf(i, 0, part), part, 0)
  }
  await writer.finish(asFile(file))
  await writer.leave()

  assert.ok(file.bytes.equals(whole))
})
