import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import { readArticle } from '../../src/reading/article.ts'

const sentence = 'The lock keeper wrote, in a careful hand, the name of each boat into the book. '
const body = `<nav><a href="/">Home</a></nav><article>${`<p>${sentence.repeat(5)}</p>`.repeat(8)}</article>`
const whole = `<!doctype html><html lang="en"><head><title>The lock</title></head><body>${body}</body></html>`
const wanted = new Readability(parseHTML(whole).document).parse()?.textContent

/** Ways to leave out tags that the standard lets one leave out. */
const pages: Record<string, string> = {
  'with all its tags': whole,
  'without any': `<title>The lock</title>${body}`,
  'without body': `<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>The lock</title></head>${body}</html>`,
  'without html': `<head><title>The lock</title></head><body class="x">${body}</body>`,
  'without the end of its head': `<!-- hello --><html><head><title>The lock</title><script>if (a < b) "</p>"</script>${body}`,
  'with a style and a link before it': `<link rel=stylesheet href=x><style>p > a {}</style><title>The lock</title>${body}`,
}
for (const [what, html] of Object.entries(pages))
  test(`an article ${what} has the text that it has in a browser`, () => {
    assert.equal(readArticle(html), wanted)
  })

for (const html of [
  '',
  '   ',
  'plain',
  '<title>only</title>',
  '<!--',
  '<title>',
  '<script>',
  '<!doctype',
])
  test(`"${html}" is no article`, () => {
    assert.equal(readArticle(html), undefined)
  })
