import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText } from '../../src/fetching/charset.ts'

const latin = (text: string) => Buffer.from(text, 'latin1')

const cases: [string, Uint8Array, string | undefined, string][] = [
  ['by its header', latin('caf\xe9'), 'text/html; charset=iso-8859-1', 'café'],
  ['by its header in quotes', latin('caf\xe9'), 'text/html; Charset="latin1"', 'café'],
  [
    'by its mark, before the header',
    Buffer.from('\ufeffcafé'),
    'text/html; charset=latin1',
    'café',
  ],
  ['by its mark of UTF-16', Buffer.from('\ufeffcafé', 'utf16le'), undefined, 'café'],
  [
    'by its meta',
    latin('<meta charset="windows-1252">\x80'),
    undefined,
    '<meta charset="windows-1252">€',
  ],
  [
    'by its older meta',
    latin('<meta http-equiv=Content-Type content="text/html; charset=koi8-r">\xc1'),
    undefined,
    '<meta http-equiv=Content-Type content="text/html; charset=koi8-r">а',
  ],
  ['as UTF-8 when it says nothing', Buffer.from('café'), 'text/html', 'café'],
  ['as windows-1252 when it says nothing and is not UTF-8', latin('caf\xe9'), undefined, 'café'],
  ['by its bytes when its label is nonsense', Buffer.from('é'), 'text/html; charset=bogus', 'é'],
  [
    'as UTF-8 when an ASCII meta claims UTF-16',
    Buffer.from('<meta charset=utf-16>é'),
    undefined,
    '<meta charset=utf-16>é',
  ],
]

for (const [title, bytes, contentType, wanted] of cases)
  test(`a page is decoded ${title}`, () => {
    const text = decodeText(bytes, contentType)

    assert.equal(text, wanted)
  })
