import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { literalPattern, prefixPattern } from '../../src/engines/literals.ts'

const path = fc.stringMatching(/^\/[!-~]{0,20}$/)

test('a literal pattern matches its text and nothing else', () => {
  fc.assert(
    fc.property(path, path, (text, other) => {
      const pattern = new RegExp(`^${literalPattern(text)}$`)

      assert.ok(pattern.test(text))
      assert.equal(pattern.test(other), other === text)
    }),
  )
})

test('a prefix pattern matches the prefix and what goes on after a slash', () => {
  const fits = (prefix: string, text: string) => new RegExp(prefixPattern(prefix)).test(text)

  assert.equal(fits('/a', '/a'), true)
  assert.equal(fits('/a', '/a/b'), true)
  assert.equal(fits('/a', '/ab'), false)
  assert.equal(fits('/a/', '/a/b'), true)
  assert.equal(fits('/a/', '/a'), false)
  assert.equal(fits('/', '/anything'), true)
})
