import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText } from '../../src/reading/charset.ts'

const latin = (text: string) => Buffer.from(text, 'latin1')

const talking = '<meta name="description" content="charset=koi8-r explained"><meta charset=utf-8>é'
const commented =
  '<!-- <meta charset=koi8-r> --><script>"<meta charset=koi8-r>"</script><meta charset=utf-8>é'
const unknown = '<meta charset=klingon><meta charset=utf-8>é'

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
  [
    'by its header: Shift_JIS',
    Buffer.from([0x93, 0xfa, 0x96, 0x7b]),
    'text/html; charset=Shift_JIS',
    '日本',
  ],
  ['by its header: UTF-16', Buffer.from('hé', 'utf16le'), 'text/html; charset=utf-16', 'hé'],
  [
    'by its mark of UTF-16, the other way',
    Buffer.from([0xfe, 0xff, 0, 0x68, 0, 0xe9]),
    'text/html; charset=utf-8',
    'hé',
  ],
  ['by its meta, not by what another meta speaks of', Buffer.from(talking), undefined, talking],
  [
    'by its meta, not by one in a comment or a script',
    Buffer.from(commented),
    undefined,
    commented,
  ],
  ['by its meta whose label is known', Buffer.from(unknown), undefined, unknown],
  [
    'by its declaration of XML',
    latin('<?xml version="1.0" encoding="iso-8859-2"?>\xb1'),
    undefined,
    '<?xml version="1.0" encoding="iso-8859-2"?>ą',
  ],
  [
    'as windows-1252, each byte of it',
    Buffer.from([0x80, 0x92, 0x9f, 0x81, 0xff]),
    'text/html; charset=iso-8859-1',
    '€’Ÿ\x81ÿ',
  ],
  [
    'with what is wrong replaced',
    Buffer.from([0x61, 0xff, 0xc3]),
    'text/html; charset=utf-8',
    'a\ufffd\ufffd',
  ],
  ['when it is empty', Buffer.from(''), undefined, ''],
]

for (const [title, bytes, contentType, wanted] of cases)
  test(`a page is decoded ${title}`, () => {
    const text = decodeText(bytes, contentType)

    assert.equal(text, wanted)
  })
