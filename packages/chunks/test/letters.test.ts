import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@drover/kernel'
import fc from 'fast-check'
import { spellWords, WordDraw } from '../src/letters/draw-words.ts'
import { parseLetters } from '../src/letters/letter-sets.ts'
import { looksLikeWordList, WordListReader } from '../src/letters/word-list.ts'
import { WordScatter } from '../src/letters/word-scatter.ts'
import { makeText } from './texts.ts'

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

test('curly quotes, dashes and marks of other scripts end a word; ’ joins one', () => {
  const text = '\ufeff“All’s—well,” said Ann…«bon» ¿qué? déjà\u00a0vu 漢字 слово e\u0301clair x'

  const { texts } = scatter('a-z', text)

  assert.deepEqual(texts, ['All’s well said Ann bon qué déjà vu e\u0301clair x'])
})

/** What a word is, said another way. */
const words = /[\p{L}\p{M}]+(?:['’‑-][\p{L}\p{M}]+)*/gu

const anyText = fc
  .array(
    fc.oneof(
      fc.stringMatching(/^[a-cA-C'’ .-]{0,12}$/),
      fc.constantFrom('é', 'Ål', '“', '”', '—', '’', '…', '漢', ' ', '\n', '👍', 'ß', 'Б', '3'),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join('').replaceAll('\0', ' '))

test('every word goes to each chunk of its letter, and nowhere else, however it is pushed', () => {
  const anyStep = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 100, max: 90_000 }))
  // Long ones fill chunks and the blocks that they are read by.
  const times = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 9 }) }, fc.nat(900))
  const property = fc.property(anyText, anyStep, times, (part, step, count) => {
    const text = part.repeat(count).slice(0, 200_000)
    const chunks = ['a', 'abe', 'd-z'].map((set) => [...(parseLetters(set)[0]?.letters ?? '')])
    const wanted = chunks.map((letters) =>
      [...text.matchAll(words)]
        .map(([word]) => word)
        .filter((word) => {
          const [first = ''] = word
          const plain = /[\u00c0-\u024f]/.test(first) ? first.normalize('NFD')[0] : first
          return letters.includes((plain ?? '').toLowerCase()) && /[\0-\u024f]/.test(first)
        }),
    )

    const { texts, counts } = scatter('a,abe,d-z', text, step)

    assert.deepEqual(
      texts,
      wanted.map((list) => list.join(' ')),
    )
    assert.deepEqual(
      counts.map((count) => count.words),
      wanted.map((list) => list.length),
    )
  })
  fc.assert(property, { numRuns: 500 })
})

test('a long text is dealt out the same in one push and in pushes of any size', () => {
  const text = makeText(700_000).replaceAll(' the ', ' the naïve l’été — x’s self-made ')
  const whole = scatter('a-c,d-z,c,x', text)

  for (const step of [63, 4_097, 65_536, 65_537]) {
    const cut = scatter('a-c,d-z,c,x', text, step)
    assert.deepEqual(cut.counts, whole.counts)
    assert.ok(cut.texts.every((one, chunk) => one === whole.texts[chunk]))
  }
  const found = [...text.matchAll(words)].map(([word]) => word)
  assert.equal(whole.texts[3], found.filter((word) => /^x/i.test(word)).join(' '))
  assert.equal(whole.texts[0], found.filter((word) => /^[a-c]/i.test(word)).join(' '))
})

test('a text without ASCII white space is dealt out too', () => {
  const text = `${'漢字'.repeat(20_000)}。alpha。${'，Бета、beta'.repeat(30_000)}`

  const { texts } = scatter('a,b', text, 65_536)

  assert.equal(texts[0], 'alpha')
  assert.equal(texts[1]?.split(' ').length, 30_000)
})

test('a word over 64 KiB is refused, in one push or many', () => {
  for (const step of [1_000_000, 1_000])
    assert.throws(() => scatter('a', `x ${'a'.repeat(200_000)} y`, step), {
      code: 'PIECE_TOO_LARGE',
    })
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
