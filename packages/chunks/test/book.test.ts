import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { joinChunks } from '../src/join/join.ts'
import { chunkBytes, makeFolder } from './local.ts'
import { book, wordList } from './texts.ts'

const words = /[\p{L}\p{M}]+(?:['’‑-][\p{L}\p{M}]+)*/gu

interface Line {
  readonly text: string
  readonly words: number
  readonly sum: number
  readonly letters: readonly number[]
}

/** The chunks of an NDJSON result. */
function linesOf(path: string): Line[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(1, -1)
  return lines.map((line) => JSON.parse(line) as Line)
}

/** How often a to z occur, counted another way. */
function lettersIn(text: string): number[] {
  const lower = text.replace(/[^A-Za-z]/g, '').toLowerCase()
  return Array.from('abcdefghijklmnopqrstuvwxyz', (letter) => lower.split(letter).length - 1)
}

test('every word of a real book is in the chunk of its letter, in the order of the book', async (t) => {
  const chunks = await chunkBytes(makeFolder(t), book, { by: 'letters a-c,d-z', as: 'ndjson' })

  const [first, second] = linesOf(chunks)

  const all = [...book.toString().matchAll(words)].map(([word]) => word)
  const wanted = [/^[a-c]/i, /^[d-z]/i].map((start) => all.filter((word) => start.test(word)))
  assert.deepEqual(first?.text.split(' '), wanted[0])
  assert.deepEqual(second?.text.split(' '), wanted[1])
  assert.equal(first?.words, wanted[0]?.length)
  assert.deepEqual(first?.letters, lettersIn(first?.text ?? ''))
})

test('the words of its list come as often as they count, in an order of their own', async (t) => {
  const draw = async (seed: string) => {
    const options = { seed }
    const by = 'letters a-z'
    const [line] = linesOf(await chunkBytes(makeFolder(t), wordList, { by, as: 'ndjson', options }))
    return line
  }

  const [one, again, other] = [await draw('1'), await draw('1'), await draw('2')]

  const listed = [...wordList.toString().matchAll(/^\d+\t(\S+)\t\S+\t(\d+)$/gm)]
  const wanted = listed.flatMap(([, word = '', count]) => Array(Number(count)).fill(word))
  assert.deepEqual(one?.text.split(' ').sort(), wanted.sort())
  assert.equal(one?.words, listed.length)
  assert.equal(one?.sum, wanted.length)
  assert.deepEqual(one?.letters, lettersIn(one?.text ?? ''))
  assert.equal(again?.text, one?.text)
  assert.notEqual(other?.text, one?.text)
})

test('a book is restored from its pieces, and an insertion changes few of them', async (t) => {
  const by = 'cdc 256/1024/4096'
  const changed = Buffer.concat([
    book.subarray(0, 50_000),
    Buffer.from('NOTA BENE '),
    book.subarray(50_000),
  ])
  const [folder, otherFolder] = [makeFolder(t), makeFolder(t)]
  const chunks = await chunkBytes(folder, book, { by, as: 'files', name: 'book.txt' })
  const others = await chunkBytes(otherFolder, changed, { by, as: 'files', name: 'book.txt' })

  const contents = (path: string) =>
    readdirSync(path)
      .filter((name) => name.startsWith('book.'))
      .map((name) => readFileSync(join(path, name), 'latin1'))
  const known = new Set(contents(chunks))
  const fresh = contents(others).filter((content) => !known.has(content))
  await joinChunks(others, join(otherFolder, 'restored'), () => {})

  assert.ok(fresh.length <= 4, `${fresh.length} of ${contents(others).length} pieces are new`)
  assert.ok(readFileSync(join(otherFolder, 'restored')).equals(changed))
})

test('chunks that occur twice are counted once', async (t) => {
  const by = 'cdc 256/1024/4096'
  const countsOf = async (file: Buffer) => {
    const lines = readFileSync(
      await chunkBytes(makeFolder(t), file, { by, as: 'manifest' }),
      'utf8',
    )
    return JSON.parse(lines.trimEnd().split('\n').at(-1) ?? '') as Record<string, number>
  }
  const pieces = await countsOf(book)
  const four = await countsOf(Buffer.concat([book, book, book, book]))

  assert.equal(pieces.uniquePieces, pieces.pieces)
  assert.equal(pieces.uniqueBytes, book.length)
  assert.ok((four.pieces ?? 0) > 3.5 * (pieces.pieces ?? 0))
  assert.ok((four.uniqueBytes ?? 0) < 1.2 * book.length, `${four.uniqueBytes} bytes`)
})

test('passages of a book have the text that their offsets say', async (t) => {
  for (const by of ['sentences 1000/200', 'markdown 600/100', 'tokens 200/40']) {
    const chunks = await chunkBytes(makeFolder(t), book, { by, as: 'ndjson' })

    for (const { text, offset, length } of linesOf(chunks) as (Line &
      Record<'offset' | 'length', number>)[])
      assert.equal(text, book.toString('utf8', offset, offset + length))
  }
})
