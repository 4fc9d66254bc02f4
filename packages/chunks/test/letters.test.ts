import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@drover/kernel'
import { spellWords, WordDraw } from '../src/letters/draw-words.ts'
import { parseLetters } from '../src/letters/letter-sets.ts'
import { looksLikeWordList, WordListReader } from '../src/letters/word-list.ts'
import { WordScatter } from '../src/letters/word-scatter.ts'

function scatter(chunk: string, text: string, step = 1_000_000) {
  const sets = parseLetters(chunk)
  const texts = sets.map(() => '')
  const words = new WordScatter(sets, {
    append: (group, bytes, start, end) => {
      texts[group] += Buffer.from(bytes.subarray(start, end)).toString()
    },
  })
  const file = Buffer.from(text)
  for (let at = 0; at < file.length; at += step) words.push(file.subarray(at, at + step))
  return { texts, counts: words.end() }
}

test('a chunk is a range, a letter, a set or several, in any case and direction', () => {
  const names = (text: string) => parseLetters(text).map(({ name }) => name)

  assert.deepEqual(names('a-c,d-z'), ['a-c', 'd-z'])
  assert.deepEqual(names('A'), ['a'])
  assert.deepEqual(names('dca'), ['acd'])
  assert.deepEqual(names('Z-X'), ['x-z'])
  assert.deepEqual(names('  '), ['a-z'])
  assert.equal(parseLetters('b-d')[0]?.letters, 'bcd')
})

test('anything else is refused, and the message says what is allowed', () => {
  for (const text of ['1', 'a-', 'a-c-d', 'a,,b', 'é', 'a b', '../x'])
    assert.throws(() => parseLetters(text), { code: 'LETTERS_INVALID', message: /a-c.*a-z/ })
})

test("a chunk has its words in the file's order, one space between two", () => {
  const text = 'The cat, a DOG; and "bees" don\'t well-being Élan 42 zoo'

  const { texts, counts } = scatter('a-c,d-z', text)

  assert.deepEqual(texts, ['cat a and bees', "The DOG don't well-being Élan zoo"])
  assert.equal(counts[0]?.words, 4)
  assert.equal(counts[0]?.letters[0], 3)
  assert.equal(counts[1]?.words, 6)
})

test('words cut by a push are whole, and chunks may share letters', () => {
  const text = 'alpha beta alphabet gamma-ray bee'

  for (const step of [1, 3, 7])
    assert.deepEqual(scatter('a,a-b,g', text, step).texts, scatter('a,a-b,g', text).texts)
  assert.deepEqual(scatter('a,a-b,g', text).texts, [
    'alpha alphabet',
    'alpha beta alphabet bee',
    'gamma-ray',
  ])
})

test('a word list is told from a text', () => {
  assert.ok(looksLikeWordList(Buffer.from('1 the The 55\n2 a A 3\n'), true))
  assert.ok(!looksLikeWordList(Buffer.from('1 the The 55\nIt was a dark night\n'), true))
  assert.ok(!looksLikeWordList(Buffer.from(''), true))
})

test('a word comes as often as it counts, in an order that the seed decides', () => {
  const reader = new WordListReader()
  reader.push(Buffer.from('1 ape ape 50\n2 ant ant 30\n3 asp as'))
  reader.push(Buffer.from('p 20\n'))
  reader.end()
  const entries = reader.byLetter[0] ?? { words: [], counts: [] }
  const draw = (seed: number) =>
    [...spellWords(new WordDraw(entries, seededRandom(seed)))].map(String).join('').split(' ')

  const words = draw(1)

  const count = (word: string) => words.filter((one) => one === word).length
  assert.deepEqual(['ape', 'ant', 'asp'].map(count), [50, 30, 20])
  assert.deepEqual(draw(1), words)
  assert.notDeepEqual(draw(2), words)
  assert.notDeepEqual(words, words.toSorted())
})

test('every order of a draw is about equally likely', () => {
  const entries = { words: ['a', 'b', 'c'].map((word) => Buffer.from(word)), counts: [1, 1, 1] }
  const random = seededRandom(7)
  const seen = new Map<string, number>()
  for (let run = 0; run < 6_000; run++) {
    const order = [...spellWords(new WordDraw(entries, random))].map(String).join('')
    seen.set(order, (seen.get(order) ?? 0) + 1)
  }

  assert.equal(seen.size, 6)
  for (const [order, count] of seen) assert.ok(Math.abs(count - 1_000) < 150, `${order}: ${count}`)
})

test('a line with other columns is named', () => {
  const reader = new WordListReader()
  assert.throws(() => reader.push(Buffer.from('1 a a 1\nfoo\n')), {
    code: 'NOT_TEXT',
    message: /line 2/,
  })
})
