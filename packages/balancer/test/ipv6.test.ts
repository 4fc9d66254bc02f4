import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { groupsOf } from '../src/ipv6.ts'

test('an address written in full, or with its zeros left out, has the same groups', () => {
  const anyGroups = fc.array(fc.constantFrom(0, 1, 0xabc, 0xffff), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(anyGroups, (groups) => {
      const full = groups.map((group) => group.toString(16)).join(':')
      const short = new URL(`http://[${full}]/`).hostname.slice(1, -1)

      assert.deepEqual(groupsOf(full), groups)
      assert.deepEqual(groupsOf(short), groups)
    }),
  )
})

test('the forms that an address may have', () => {
  assert.deepEqual(groupsOf('::'), [0, 0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual(groupsOf('::1'), [0, 0, 0, 0, 0, 0, 0, 1])
  assert.deepEqual(groupsOf('fe80::1%eth0'), [0xfe80, 0, 0, 0, 0, 0, 0, 1])
  assert.deepEqual(groupsOf('::ffff:127.0.0.2'), [0, 0, 0, 0, 0, 0xffff, 0x7f00, 2])
})

test('what is no address is the unspecified one', () => {
  for (const text of ['', 'localhost', '127.0.0.1', '1::2::3'])
    assert.deepEqual(groupsOf(text), [0, 0, 0, 0, 0, 0, 0, 0])
})
