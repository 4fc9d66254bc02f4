import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readFacts } from '../../src/reading/page-facts.ts'

const page = 'http://site.example/dir/page'
const textOf = (html: string) => readFacts(html, page).text

/** What a page holds, and its text. */
const texts: [string, string, string][] = [
  [
    'a head that is never closed',
    '<html><head><title>T</title><meta charset=utf-8><p>Hello',
    'Hello',
  ],
  ['text right after its head', '<head><title>T</title></head>Hello', 'Hello'],
  [
    'scripts and styles',
    '<script>if (a<b) "</p>"</script><style>p{}</style>Hello<SCRIPT>x</SCRIPT >',
    'Hello',
  ],
  ['a script that is never closed', 'Hello<script>var x = "<p>no</p>"', 'Hello'],
  ['what is for browsers without scripts', 'a<noscript><img><p>no</p></noscript>b', 'ab'],
  ['templates within templates', 'a<template>b<template>c</template>d</template>e', 'ae'],
  ['a template that is never closed', 'a<p>b<template>c', 'a\nbc'],
  ['frames and objects', 'a<iframe><p>no</p></iframe><object data=x>no</object>b', 'ab'],
  ['tags closed that were never open', 'a</noscript></template></svg></p>b', 'a\nb'],
  ['comments', 'a<!-- b --><!--> c <!-- d', 'a c'],
  [
    'entities',
    '&lt;p&gt; &eacute;&nbsp;&#x1F600; &amp;amp; &notit; &#xD800;&#0;',
    '<p> é 😀 &amp; ¬it; \ufffd\ufffd',
  ],
  [
    'blocks and lines',
    '<h1>a</h1>b<br>c<ul><li>d<li>e</ul><table><tr><td>f<td>g</table>',
    'a\nb\nc\nd\ne\nf\ng',
  ],
  ['words within a line', '<p>one <b>two</b>\n  <i>three</i></p>', 'one two\nthree'],
  ['pictures with titles', 'a<svg><title>icon</title><style/><path/></svg>b', 'ab'],
  ['what people type into', '<select><option>a<option>b</select><textarea>c</textarea>', 'a\nbc'],
  ['nothing', '', ''],
]
for (const [what, html, wanted] of texts)
  test(`the text of a page with ${what} is what one sees`, () => {
    assert.equal(textOf(html), wanted)
  })

test('title, language and canonical address are the first that can be used', () => {
  const html = `<html lang=" de-AT "><svg><title>icon</title></svg><title> A &amp;
    <b>B</b> </title><title>C</title><link rel="alternate" href="/no"><LINK REL="x Canonical" HREF="../a?b=1&amp;c">
    <link rel=canonical href="/second">`

  const { title, language, canonical } = readFacts(html, page)

  assert.deepEqual(
    [title, language, canonical],
    ['A & <b>B</b>', 'de-AT', 'http://site.example/a?b=1&c'],
  )
})

test('facts that are no facts are left out, and none grows beyond what is sensible', () => {
  const html = `<html lang="${'x'.repeat(100)}"><title>${'y'.repeat(5_000)}</title>
    <link rel=canonical href="javascript:1"><link rel=canonical href="/${'z'.repeat(10_000)}">`

  const { title, language, canonical } = readFacts(html, page)

  assert.deepEqual([title?.length, language, canonical], [1_000, undefined, undefined])
})

test('no page stops the reader, and text without markup comes back', () => {
  const part = fc.constantFrom(
    ...[
      '<',
      '>',
      '</',
      '/>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&',
      '&#',
      ';',
      '"',
      "'",
      '=',
      ' ',
      '\0',
    ],
    ...[
      'script',
      'style',
      'title',
      'svg',
      'template',
      'noscript',
      'p',
      'a href',
      'lang',
      '\ud800',
      'ü',
    ],
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), fc.string(), (parts, plain) => {
      assert.equal(typeof textOf(parts.join('')), 'string')
      const bare = plain.replaceAll(/[<&]/g, ' ')
      assert.equal(textOf(bare).replaceAll(/\s/g, ''), bare.replaceAll(/\s/g, ''))
    }),
    { numRuns: 1_000 },
  )
})

for (const [what, html] of [
  ['a million open elements', `${'<div>'.repeat(1_000_000)}deep`],
  [
    'closing tags of nothing under open ones',
    `${'<div>'.repeat(300_000)}${'</x>'.repeat(300_000)}deep`,
  ],
  ['forms within each other', `${'<b>'.repeat(300_000)}${'<form>'.repeat(300_000)}deep`],
  ['pictures within each other', `${'<svg><lineargradient>'.repeat(300_000)}</b>deep`],
  ['templates within each other', `${'<template>'.repeat(300_000)}deep`],
] as const)
  test(`a page of ${what} is read in little time`, () => {
    const before = process.cpuUsage()
    const text = textOf(html)
    const { user, system } = process.cpuUsage(before)

    assert.equal(text, 'deep')
    assert.ok(user + system < 10_000_000, `${user + system} µs`)
  })
