import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRobots } from '../../src/fetching/robots-rules.ts'

const allows = (text: string, path: string, product = 'Drover') =>
  parseRobots(text, product).isAllowed(new URL(path, 'http://site.example'))

/** Rules for everybody, a path, and whether it may be fetched: the RFC's own examples among them. */
const paths: [string, string, boolean][] = [
  ['Disallow: /', '/any', false],
  ['Disallow:', '/any', true],
  ['Disallow: /fish', '/fish.html', false],
  ['Disallow: /fish', '/Fish', true],
  ['Disallow: /fish/', '/fish', true],
  ['Disallow: /*.php', '/folder/any.php?p', false],
  ['Disallow: /*.php$', '/folder/any.php?p', true],
  ['Disallow: /*.php$', '/folder/any.php', false],
  ['Disallow: /fish*.php', '/fishheads/a.php', false],
  ['Disallow: *secret', '/a/secret/b', false],
  ['Disallow: /a*b*c', '/axxcxbx', true],
  ['Disallow: /a*b*c', '/axxbxcx', false],
  ['Disallow: /*ab$', '/abab', false],
  ['Disallow: /*ab$', '/ababc', true],
  ['Disallow: /a*a$', '/a', true],
  ['Disallow: /a*$', '/abc', false],
  ['Disallow: /a$', '/a', false],
  ['Disallow: /a$', '/ab', true],
  ['Disallow: /a$b', '/a$b', false],
  ['Disallow: /page?', '/page?x=1', false],
  ['Disallow: /\nAllow: /p', '/page', true],
  ['Allow: /page\nDisallow: /*.htm', '/page.htm', false],
  ['Allow: /folder\nDisallow: /folder', '/folder/page', true],
  ['Allow: /$\nDisallow: /', '/', true],
  ['Allow: /$\nDisallow: /', '/page.htm', false],
  ['Disallow: /foo/bar?baz=http://foo.bar', '/foo/bar?baz=http://foo.bar', false],
  ['Disallow: /foo/bar/ツ', '/foo/bar/%E3%83%84', false],
  ['Disallow: /foo/bar/%E3%83%84', '/foo/bar/ツ', false],
  ['Disallow: /foo/bar/%62%61%7A', '/foo/bar/baz', false],
  ['Disallow: /a%3cd', '/a%3Cd', false],
  ['Disallow: /with-a-%2A.html', '/with-a-*.html', false],
  ['Disallow: /with-a-%2A.html', '/with-a-b.html', true],
  ['Disallow: /foo-%24', '/foo-$', false],
  ['Disallow: fish', '/fish', true],
  ['Disallow: /a # not /b', '/a', false],
  ['DISALLOW:/x', '/x', false],
  ['Sitemap: http://site.example/map\nDisallow: /a', '/a', false],
]
for (const [rules, path, wanted] of paths)
  test(`${JSON.stringify(rules)} ${wanted ? 'allows' : 'excludes'} ${path}`, () => {
    assert.equal(allows(`User-agent: *\n${rules}`, path), wanted)
  })

/** Whole files, and whether Drover may have /a. */
const files: [string, string, boolean][] = [
  ['one for others only', 'User-agent: Other\nDisallow: /', true],
  [
    'its own before that for all',
    'User-agent: *\nDisallow: /\nUser-agent: drover\nDisallow:',
    true,
  ],
  ['its own, whatever the case and version', 'User-agent: DROVER/2.0\nDisallow: /a', false],
  ['not that of a longer name', 'User-agent: droverbot\nDisallow: /', true],
  ['one of several names', 'User-agent: x\nUser-agent: Drover\nUser-agent: y\nDisallow: /a', false],
  [
    'two of its own as one',
    'User-agent: Drover\nDisallow: /a\n\nUser-agent: Drover\nDisallow: /b',
    false,
  ],
  ['no rule before a name', 'Disallow: /a\nUser-agent: Drover\nDisallow: /b', true],
  ['lines that end by CR', 'User-agent: *\rDisallow: /a\r', false],
  ['lines that are none', '\0\n::::\nUser-agent: *\n<html>\nDisallow: /a', false],
]
for (const [what, text, wanted] of files)
  test(`of the groups of a robots.txt it takes ${what}`, () => {
    assert.equal(allows(text, '/a'), wanted)
  })

test('a Crawl-delay is that of the group, in ms, and nonsense is none', () => {
  const delay = (value: string) =>
    parseRobots(`User-agent: *\nCrawl-delay: ${value}\n`, 'Drover').delayMs

  assert.deepEqual(['2', '0.5', '-1', 'x', '', 'Infinity'].map(delay), [
    2_000,
    500,
    0,
    0,
    0,
    Infinity,
  ])
})

test('a pattern matches as the regular expression that it stands for', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '/'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, fc.boolean(), letters, (middle, isWhole, path) => {
      const expression = new RegExp(`^/${middle.replaceAll('*', '.*')}${isWhole ? '$' : ''}`)
      const url = new URL(`http://site.example/${path}`)
      const rules = parseRobots(
        `User-agent: *\nDisallow: /${middle}${isWhole ? '$' : ''}`,
        'Drover',
      )

      assert.equal(rules.isAllowed(url), !expression.test(url.pathname))
    }),
    { numRuns: 2_000 },
  )
})

/** Half a megabyte each; a reader that takes rules times names, or pattern times path, never ends. */
const hostile: Record<string, string> = {
  'names and rules': 'User-agent:a\n'.repeat(20_000) + 'Disallow:/x\n'.repeat(20_000),
  wildcards: `User-agent: *\nDisallow: /${'*a'.repeat(250_000)}b`,
  'rules with wildcards': `User-agent: *\n${'Disallow:/*b\n'.repeat(40_000)}`,
  'long pieces': `User-agent: *\n${`Disallow:/*${'a'.repeat(2_000)}b\n`.repeat(250)}`,
}
for (const [what, text] of Object.entries(hostile))
  test(`a robots.txt of ${what} costs little time and memory`, () => {
    const before = process.cpuUsage()
    const rules = parseRobots(text, 'a')
    const named = parseRobots(text, 'Drover')
    const url = new URL(`http://site.example/${'a'.repeat(4_000)}`)

    assert.ok(rules.isAllowed(url) && named.isAllowed(url))
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 10_000_000, `${user + system} µs`)
  })
