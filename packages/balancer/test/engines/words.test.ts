import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as haproxy from '../../src/engines/haproxy/words.ts'
import * as nginx from '../../src/engines/nginx/words.ts'

test('no text can leave its word in nginx', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('"', '\\', '$', ';', '}', 'a', ' ') }),
      (text) => {
        const quoted = nginx.word(text)

        // Between the outer quotes there is no quote, and no backslash at the end, that is not escaped.
        assert.match(quoted, /^"(?:[^"\\]|\\["\\])*"$/)
        assert.doesNotMatch(nginx.filledWord(text).replaceAll('$' + '{drover_dollar}', ''), /\$/)
      },
    ),
  )
})

test('no text can leave its word in HAProxy', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("'", '\\', '#', ' ', '"', 'a') }), (text) => {
      const quoted = haproxy.word(text)

      // Quoted runs without quotes, joined by escaped quotes only.
      assert.match(quoted, /^'[^']*'(?:\\''[^']*')*$/)
      assert.equal(quoted.replaceAll("'\\''", '\0').slice(1, -1).replaceAll('\0', "'"), text)
    }),
  )
})
