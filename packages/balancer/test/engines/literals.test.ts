import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { connectionsTo } from '../../src/engines/connections.ts'
import * as haproxy from '../../src/engines/haproxy/words.ts'
import { literalPattern, prefixPattern, wholeWeights } from '../../src/engines/literals.ts'
import * as nginx from '../../src/engines/nginx/words.ts'

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

test('whole weights keep proportions, and whole ones stay', () => {
  assert.deepEqual(wholeWeights([8, 1, 1], 100), [8, 1, 1])
  assert.deepEqual(wholeWeights([1, 0.1], 100), [100, 10])
  assert.deepEqual(wholeWeights([1_000, 1], 100), [100, 1])
  assert.deepEqual(wholeWeights([], 100), [])
})

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

const onLinux = { skip: existsSync('/proc/net/tcp') ? false : 'needs /proc' }
test('connections of this machine are counted by where they lead', onLinux, async (t) => {
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    assert.equal(await connectionsTo(host, port), 0)

    const socket = connect(port, host)
    t.after(() => socket.destroy())
    await new Promise((resolve) => socket.once('connect', resolve))

    assert.equal(await connectionsTo(host, port), 1)
    server.close()
  }
  assert.equal(await connectionsTo('localhost', 80), undefined)
})
