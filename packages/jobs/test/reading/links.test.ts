import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDomains } from '../../src/reading/links.ts'

const page = 'http://site.example/dir/page'
const domainsOf = (hrefs: readonly string[]) =>
  Object.fromEntries(
    readDomains(hrefs.map((href) => `<a href="${href}">x</a>`).join('\n'), page).domains.map(
      ({ domain, count }) => [domain, count],
    ),
  )

test('domains are registrable ones, whatever way they are written', () => {
  const found = domainsOf([
    ...['http://www.bücher.example/', 'http://xn--bcher-kva.example/', 'http://BÜCHER.example'],
    ...['http://a.пример.рф/', 'http://a.b.公司.cn/', 'HTTP://Foo.EXAMPLE.co.uk:8080/'],
    ...['http://www.example.com./', 'http://example.com/', 'http://user:secret@example.com/'],
    ...[
      'http://a.b.kawasaki.jp/x',
      'http://city.kawasaki.jp/',
      'http://localhost/',
      'http://co.uk/',
    ],
    ...['http://127.1/', 'http://[::1]:8080/', '\thttp://\nspaced.example/ ', 'http://２.example/'],
  ])

  assert.deepEqual(found, {
    'example.com': 3,
    'xn--bcher-kva.example': 3,
    '127.0.0.1': 1,
    '2.example': 1,
    '[::1]': 1,
    'a.b.kawasaki.jp': 1,
    'city.kawasaki.jp': 1,
    'co.uk': 1,
    'example.co.uk': 1,
    localhost: 1,
    'spaced.example': 1,
    'b.xn--55qx5d.cn': 1,
    'xn--e1afmkfd.xn--p1ai': 1,
  })
})

test('links that lead to no page are left out', () => {
  const found = domainsOf([
    ...['mailto:a@b.example', 'javascript:alert(1)', 'JavaScript:1', 'tel:1', 'data:text/html,x'],
    ...['ftp://b.example/', 'http://', 'http://[bad', 'blob:http://b.example/1', 'about:blank'],
    ...[
      'view-source:http://b.example/',
      'http://a b.example/',
      `http://c.example/${'x'.repeat(5_000)}`,
    ],
  ])

  assert.deepEqual(found, {})
})

test('only links of the page count, not what is in comments, scripts or other attributes', () => {
  const html = `<!-- <a href="http://no.example/"> --><script>'<a href="http://no.example/">'</script>
    <img src="http://no.example/"><a data-href="http://no.example/" title='<a href="http://no.example">'>
    <style><a href="http://no.example/"></style><textarea><a href="http://no.example/"></textarea>
    <A HREF=http://yes.example/x?a=1&amp;b href="http://no.example/"><map><area href='//yes.example'></map>`

  assert.deepEqual(readDomains(html, page).domains, [{ domain: 'yes.example', count: 2 }])
})

for (const [base, wanted] of [
  ['<base href="/deep/">', 'http://site.example/deep/x'],
  [
    '<base target=_top><base href="//other.example/y/"><base href="/no/">',
    'http://other.example/y/x',
  ],
  ['<base href="javascript:1">', 'http://site.example/dir/x'],
  ['<base href="http://[bad"><base href="/no/">', 'http://site.example/dir/x'],
  [`<base href="/${'a'.repeat(10_000)}/">`, 'http://site.example/dir/x'],
] as const)
  test(`with ${base.slice(0, 60)} a link leads to ${wanted}`, () => {
    const { domains, inScope } = readDomains(`${base}<a href="x">`, page)

    const { hostname } = new URL(wanted)
    assert.deepEqual(domains, [{ domain: hostname, count: 1 }])
    assert.deepEqual(inScope, hostname === 'site.example' ? [wanted] : [])
  })

/** Each would take a parser that keeps a tree, or a base of a megabyte, minutes. */
const hostile: Record<string, string> = {
  'a million open elements': '<b>'.repeat(1_000_000),
  'closing tags of nothing under open ones': '<b>'.repeat(300_000) + '</x>'.repeat(300_000),
  'a base of a megabyte': `<base href="/${'a'.repeat(1_000_000)}/">${'<a href=x>'.repeat(20_000)}`,
  'a tag of a million attributes': `<a ${Array.from({ length: 1_000_000 }, (_, at) => `a${at}`).join(' ')}>`,
  'an attribute of a million entities': `<a href="${'&amp;'.repeat(1_000_000)}">`,
  'a million links': '<a href=x>'.repeat(1_000_000),
  'a tag that never ends': `<a ${'x="'.repeat(1_000_000)}`,
  'a million comments': '<!--'.repeat(1_000_000),
}
for (const [what, html] of Object.entries(hostile))
  test(`a page of ${what} is read in little time`, () => {
    const before = process.cpuUsage()
    const { links, inScope } = readDomains(html, page)
    const { user, system } = process.cpuUsage(before)

    assert.ok(links <= 100_000 && inScope.length <= 1_000)
    assert.ok(user + system < 10_000_000, `${user + system} µs`)
  })
