import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCheck } from '../src/check.ts'
import { Type } from '../src/schema.ts'

test('a check names the place and what was expected, and says nothing of what fits', () => {
  const check = compileCheck(
    Type.Object({ list: Type.Array(Type.Integer()), free: Type.Optional(Type.String()) }),
  )

  assert.equal(check({ list: [1, 2] }), undefined)
  assert.equal(check({ list: [1, 'x'] }), '/list/1 must be integer')
  assert.equal(check({}), "must have required property 'list'")
  assert.equal(check(null), 'must be object')
})
