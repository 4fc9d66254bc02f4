import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { systemClock } from '@drover/kernel'
import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import { readingDefaults } from '../../src/options.ts'
import { createArticlePool } from '../../src/reading/article-pool.ts'
import { readDomains } from '../../src/reading/links.ts'
import { readFacts } from '../../src/reading/page-facts.ts'
import { readPage } from '../../src/reading/read-page.ts'

const pool = createArticlePool(readingDefaults, systemClock)
after(() => pool.stop())

const pageOf = (html: string, contentType = 'text/html') => ({
  url: 'http://site.example/a/page',
  status: 200,
  contentType,
  etag: undefined,
  lastModified: undefined,
  body: Buffer.from(html),
  redirects: 0,
})

const sentence =
  'The shepherd counted the flock twice, because the first count had, oddly, one too many. '
const article = `<!doctype html><html lang="en"><head><title> A  tale </title>
  <link rel="canonical" href="/tale"></head><body><nav><a href="/">Home</a></nav><article><h1>A tale</h1>
  ${`<p>${sentence.repeat(5)}</p>`.repeat(8)}</article><footer>Nobody reads this</footer></body></html>`

test('an article gives the text that readability gives', async () => {
  const reading = await readPage(1, pageOf(article), pool)

  const { document } = parseHTML(article)
  assert.equal(reading.content, new Readability(document).parse()?.textContent)
  assert.ok(!reading.content.includes('Nobody reads this'))
  assert.match(reading.whole ?? '', /^Home\n[\s\S]*Nobody reads this$/)
  assert.deepEqual(reading.facts, {
    title: 'A tale',
    language: 'en',
    canonical: 'http://site.example/tale',
    article: true,
  })
})

test('a plain page gives its whole text', async () => {
  const html =
    '<title>T</title><p>One <b>two</b></p><script>no()</script><ul><li>three<li>four</ul>'

  const reading = await readPage(1, pageOf(html), pool)

  assert.equal(reading.content, 'One two\nthree\nfour')
  assert.equal(reading.facts.article, false)
  assert.equal(reading.whole, undefined)
})

test('a text file stays as it is', async () => {
  const reading = await readPage(1, pageOf('a  <b>\n', 'text/plain'), pool)

  assert.equal(reading.content, 'a  <b>\n')
})

test('a page that is nested deeper than any stack still gives its text', async () => {
  const html = `${'<div>'.repeat(60_000)}deep`

  const reading = await readPage(1, pageOf(html), pool)

  assert.equal(reading.content, 'deep')
})

test('HTML is kept as it is', async () => {
  const reading = await readPage(2, pageOf(article), pool)

  assert.equal(reading.content, article)
})

test('domains are counted, resolved against the base, one for each registrable name', () => {
  const html = `<base href="https://base.example.co.uk/x/"><a href="y">1</a><a href="//www.other.org">2</a>
    <AREA HREF="https://sub.other.org/z"><a href="mailto:a@b.c">no</a><a href="javascript:1">no</a>
    <a href="http://10.0.0.1/">3</a><a>none</a><a href="http://[bad">none</a><link href="http://no.example">`

  const found = readDomains(html, 'http://site.example/')

  assert.deepEqual(found, {
    domains: [
      { domain: 'other.org', count: 2 },
      { domain: '10.0.0.1', count: 1 },
      { domain: 'example.co.uk', count: 1 },
    ],
    links: 4,
    inScope: [],
  })
})

test('pages of the own domain are named once each, resolved, without fragments', () => {
  const html = `<base href="/docs/"><a href="a#x">1</a><a href="a#y">2</a><a href="../b?q=1">3</a>
    <a href="//shop.site.example/">4</a><a href="http://other.example/">5</a><a href=" c ">6</a>`

  const { inScope, links } = readDomains(html, 'http://www.site.example/deep/page')

  assert.equal(links, 6)
  assert.deepEqual(inScope, [
    'http://www.site.example/docs/a',
    'http://www.site.example/b?q=1',
    'http://shop.site.example/',
    'http://www.site.example/docs/c',
  ])
})

test('facts are read from broken markup, too', () => {
  const facts = readFacts('<p>a<style>x</p>', 'http://site.example/')

  assert.equal(facts.text, 'a')
  assert.equal(facts.title, undefined)
})
