import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { unpack } from '../../src/fetching/unpack.ts'

const page = Buffer.from('The same line again and again.\n'.repeat(300))
const zeros = Buffer.alloc(600_000)
const packers: Record<string, (bytes: Uint8Array) => Buffer> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
}
const outcomeOf = (bytes: Uint8Array, encoding: string) =>
  unpack(bytes, encoding, 1_000_000).then(
    (unpacked) => Buffer.from(unpacked).toString(),
    ({ code }) => code,
  )
const join = (...parts: readonly Uint8Array[]) => Buffer.concat(parts)

for (const [encoding, pack] of Object.entries(packers)) {
  test(`${encoding} is unpacked, whole, twice over, and under another case`, async () => {
    assert.equal(await outcomeOf(pack(page), encoding), page.toString())
    assert.equal(await outcomeOf(pack(pack(page)), `${encoding}, ${encoding}`), page.toString())
    assert.equal(await outcomeOf(pack(page), ` ${encoding.toUpperCase()} ,`), page.toString())
  })

  test(`${encoding} that was cut anywhere is broken, never a shorter page`, async () => {
    const packed = pack(page)
    for (let length = 1; length < packed.length; length++)
      assert.equal(
        await outcomeOf(packed.subarray(0, length), encoding),
        'ENCODING_BROKEN',
        `${length}`,
      )
  })

  test(`a bomb of ${encoding} is refused, and within another one`, async () => {
    const bomb = pack(join(zeros, zeros))

    assert.equal(await outcomeOf(bomb, encoding), 'PAGE_TOO_LARGE')
    assert.equal(await outcomeOf(pack(bomb), `${encoding}, ${encoding}`), 'PAGE_TOO_LARGE')
  })
}

test('what follows a packed page is ignored', async () => {
  for (const [encoding, rest] of [
    ['gzip', Buffer.alloc(50)],
    ...(['br', 'zstd', 'deflate'] as const).map((name) => [name, Buffer.from('rest')] as const),
  ] as const)
    assert.equal(
      await outcomeOf(join(packers[encoding]?.(page) ?? page, rest), encoding),
      page.toString(),
    )
})

test('several members of gzip and frames of zstd are one page, and one bomb', async () => {
  const skipped = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2])
  const frames = join(skipped, zstdCompressSync(page), skipped, zstdCompressSync(page))

  assert.equal(await outcomeOf(join(gzipSync(page), gzipSync(page)), 'gzip'), `${page}${page}`)
  assert.equal(await outcomeOf(frames, 'zstd'), `${page}${page}`)
  for (const encoding of ['gzip', 'zstd']) {
    const half = packers[encoding]?.(zeros) ?? zeros
    assert.equal(await outcomeOf(join(half, half), encoding), 'PAGE_TOO_LARGE')
  }
  assert.equal(await outcomeOf(Buffer.alloc(20_000 * 10, skipped), 'zstd'), 'ENCODING_BROKEN')
})

test('a frame of zstd that wants 128 MiB to unpack one byte is refused', async () => {
  // Magic number, no size, a window of 2^27, one last block of one byte.
  const frame = (exponent: number) =>
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (exponent - 10) << 3, 9, 0, 0, 0x78])

  assert.equal(await outcomeOf(frame(23), 'zstd'), 'x')
  assert.equal(await outcomeOf(frame(27), 'zstd'), 'ENCODING_BROKEN')
})

test('deflate is understood with and without its wrapper, and an empty body is empty', async () => {
  assert.equal(await outcomeOf(deflateRawSync(page), 'deflate'), page.toString())
  for (const encoding of Object.keys(packers))
    assert.equal(await outcomeOf(page.subarray(0, 0), encoding), '')
})

for (const [encoding, wanted] of [
  ['gzip, gzip, gzip, gzip', 'ENCODING_BROKEN'],
  ['lzma', 'ENCODING_BROKEN'],
  ['constructor', 'ENCODING_BROKEN'],
  ['identity', page.toString()],
  ['', page.toString()],
] as const)
  test(`a body packed by "${encoding}" ends as ${wanted.slice(0, 20).trim()}`, async () => {
    assert.equal(await outcomeOf(page, encoding), wanted)
  })
