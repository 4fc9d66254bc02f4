import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkName } from '../src/names.ts'
import { parseWay } from '../src/way/parse-way.ts'
import type { WayOptions } from '../src/way/way.ts'

test('a way and its value are joined by a blank, a colon or an equals sign', () => {
  for (const text of ['bytes 64KiB', 'bytes:64KiB', 'bytes=64KiB', ' BYTES  64KiB '])
    assert.deepEqual(parseWay(text), {
      by: 'bytes',
      bytes: 65_536,
      linesWhole: false,
      separator: 10,
    })
})

const refused: [string, string, WayOptions?][] = [
  ['WAY_UNKNOWN', 'lines 5', { keep: 'end' }],
  ['WAY_UNKNOWN', 'bytes 5', { header: true }],
  ['WAY_UNKNOWN', 'cdc', { linesWhole: true }],
  ['WAY_UNKNOWN', 'sentences', { seed: '1' }],
  ['WAY_UNKNOWN', 'lins 5'],
  ['WAY_UNKNOWN', ''],
  ['WAY_UNKNOWN', '__proto__ 1'],
  ['WAY_UNKNOWN', 'constructor'],
  ['SIZE_INVALID', 'bytes 0'],
  ['SIZE_INVALID', 'bytes -1'],
  ['SIZE_INVALID', 'bytes'],
  ['SIZE_INVALID', 'bytes 5XB'],
  ['SIZE_INVALID', 'parts 0'],
  ['SIZE_INVALID', 'parts 1.5'],
  ['SIZE_INVALID', 'lines -3'],
  ['SIZE_INVALID', 'cdc 64KiB/16KiB/8KiB'],
  ['SIZE_INVALID', 'cdc 1/2/3'],
  ['SIZE_INVALID', 'cdc 8KiB/16KiB'],
  ['SIZE_INVALID', 'cdc', { level: '4' }],
  ['SIZE_INVALID', 'cdc', { seed: '-1' }],
  ['SIZE_INVALID', 'tokens 10/6'],
  ['SIZE_INVALID', 'tokens 1/2/3'],
  ['SIZE_INVALID', 'sentences 4'],
  ['SIZE_INVALID', 'records none'],
  ['LETTERS_INVALID', 'letters 1-5'],
  ['PATTERN_INVALID', 'regex (('],
  ['PATTERN_INVALID', 'regex /a/g'],
  ['PATTERN_INVALID', 'regex '],
  ['PATTERN_INVALID', 'delimiter '],
  ['PATTERN_INVALID', 'lines 5', { separator: 'ab' }],
  ['WAY_UNKNOWN', 'regex a', { keep: 'both' }],
  ['WAY_UNKNOWN', 'records 5', { format: 'xml' }],
]

for (const [code, text, options] of refused)
  test(`"${text}" ${JSON.stringify(options ?? {})} is refused as ${code}`, () => {
    assert.throws(() => parseWay(text, options), { code })
  })

test('a mistyped way names the nearest', () => {
  assert.throws(() => parseWay('lins 5'), { message: /did you mean "lines"/ })
})

test('names with slashes, dots alone or control characters are refused', () => {
  for (const name of ['', '.', '..', 'a/b', '..\\b', 'a\nb', 'x'.repeat(201)])
    assert.throws(() => checkName(name), { code: 'NAME_INVALID' })
  assert.equal(checkName('a..b é.txt'), 'a..b é.txt')
})
