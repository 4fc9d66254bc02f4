import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededRandom } from '@drover/kernel'
import { BytesChunker } from '../../src/chunkers/bytes.ts'
import type { Chunker } from '../../src/chunkers/chunker.ts'
import { LineBytesChunker } from '../../src/chunkers/line-bytes.ts'
import { LinesChunker } from '../../src/chunkers/lines.ts'
import { cutParts, LineParts } from '../../src/chunkers/parts.ts'
import { RoundRobin } from '../../src/chunkers/round-robin.ts'
import { PieceList } from '../../src/pieces/piece-list.ts'
import { cut } from '../cut.ts'

const newline = 10
const seed = Number(process.env.SEED ?? 20_261_121)

/** Files that have tripped splitters, and generated ones. */
function files(): [string, Buffer][] {
  const random = seededRandom(seed)
  const made = Array.from({ length: 16 }, (_, index): [string, Buffer] => {
    const bytes = Buffer.alloc(random.integer(1, 200))
    const newlines = [0.02, 0.1, 0.5, 0.9][index % 4] as number
    for (let at = 0; at < bytes.length; at++)
      bytes[at] = random.next() < newlines ? newline : random.integer(0, 255)
    return [`generated ${index}`, bytes]
  })
  const line = 'x'.repeat(150)
  return [
    ['empty', Buffer.alloc(0)],
    ['one byte', Buffer.from('x')],
    ['one newline', Buffer.from('\n')],
    ['newlines only', Buffer.from('\n'.repeat(37))],
    ['no last newline', Buffer.from('one\ntwo\nthree')],
    ['a huge line among small ones', Buffer.from(`a\nb\n${line}${line}\nc\nd\n`)],
    ['a huge line at the end', Buffer.from(`a\nb\n${line}${line}`)],
    ['one huge line', Buffer.from(line)],
    ['CRLF', Buffer.from('one\r\ntwo\r\n\r\nthree\r\n')],
    ['binary', Buffer.from(Array.from({ length: 256 }, (_, value) => value))],
    ...made,
  ]
}

/** What the real split makes of `file`. */
function realSplit(file: Buffer, words: readonly string[]): Buffer[] {
  const folder = mkdtempSync(join(tmpdir(), 'drover-split-'))
  try {
    const input = join(folder, 'input')
    writeFileSync(input, file)
    execFileSync('split', ['-a', '4', ...words, input, join(folder, 'x')])
    return readdirSync(folder)
      .filter((name) => name !== 'input')
      .sort()
      .map((name) => readFileSync(join(folder, name)))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function agree(
  words: readonly string[],
  ours: (file: Buffer, step: number) => Promise<Buffer[]>,
): Promise<void> {
  for (const [name, file] of files()) {
    if (Number(words.at(-1)) < 5 && file.length > 60) continue
    const theirs = realSplit(file, words).map((piece) => piece.toString('latin1'))
    for (const step of [file.length || 1, 1, 7, 64]) {
      const made = (await ours(file, step)).map((piece) => piece.toString('latin1'))
      assert.deepEqual(made, theirs, `split ${words.join(' ')}, ${name}, steps of ${step}`)
    }
  }
}

const byChunker = (create: (file: Buffer) => Chunker) => async (file: Buffer, step: number) =>
  (await cut(create(file), file, step)).map(([start, end]) => file.subarray(start, end))

for (const size of [1, 3, 10, 64, 1_000])
  test(`bytes ${size} agrees with split -b`, () =>
    agree(
      ['-b', String(size)],
      byChunker(() => new BytesChunker(size)),
    ))

for (const count of [1, 2, 3, 7, 40])
  test(`parts ${count} agrees with split -n`, () =>
    agree(['-n', String(count)], async (file) => {
      const pieces = new PieceList()
      cutParts(count, file.length, pieces)
      return Array.from({ length: pieces.count }, (_, index) =>
        file.subarray(pieces.starts[index], pieces.ends[index]),
      )
    }))

for (const count of [1, 2, 3, 7, 40])
  test(`parts ${count} at line ends agrees with split -n l/N`, () =>
    agree(
      ['-n', `l/${count}`],
      byChunker((file) => new LineParts(count, file.length, newline)),
    ))

for (const count of [1, 2, 3, 7])
  test(`parts ${count} dealt out agrees with split -n r/N`, () =>
    agree(['-n', `r/${count}`], async (file, step) => {
      const groups: Buffer[][] = Array.from({ length: count }, () => [])
      const dealer = new RoundRobin(count, newline)
      for (let at = 0; at < file.length; at += step)
        dealer.push(file.subarray(at, at + step), {
          append: (group, bytes, start, end) =>
            groups[group]?.push(Buffer.from(bytes.subarray(start, end))),
        })
      return groups.map((parts) => Buffer.concat(parts))
    }))

for (const count of [1, 2, 5, 1_000])
  test(`lines ${count} agrees with split -l`, () =>
    agree(
      ['-l', String(count)],
      byChunker(() => new LinesChunker(count, newline)),
    ))

for (const size of [1, 2, 5, 16, 100, 1_000])
  test(`bytes ${size} at line ends agrees with split -C`, () =>
    agree(
      ['-C', String(size)],
      byChunker(() => new LineBytesChunker(size, newline)),
    ))

test('another separator agrees with split -t', async () => {
  const e = 'e'.charCodeAt(0)
  await agree(
    ['-t', 'e', '-l', '2'],
    byChunker(() => new LinesChunker(2, e)),
  )
  await agree(
    ['-t', '\\0', '-C', '9'],
    byChunker(() => new LineBytesChunker(9, 0)),
  )
  await agree(
    ['-t', 'e', '-n', 'l/3'],
    byChunker((file) => new LineParts(3, file.length, e)),
  )
})
