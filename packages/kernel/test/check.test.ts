import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCheck } from '../src/check.ts'
import { describeComplaints } from '../src/complaints.ts'
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

test('a check names a key that nobody knows, and the nearest that there is', () => {
  const inner = Type.Object({ replicas: Type.Integer() }, { additionalProperties: false })
  const check = compileCheck(Type.Object({ service: inner }))

  assert.equal(
    check({ service: { replicas: 1, replcas: 2 } }),
    '/service: unknown key "replcas"; did you mean "replicas"?',
  )
  assert.equal(check({ service: { replicas: 1, colour: 2 } }), '/service: unknown key "colour"')
})

test('a check names every value of a choice', () => {
  const check = compileCheck(
    Type.Object({ way: Type.Union([Type.Literal('up'), Type.Literal('down')]) }),
  )

  assert.equal(check({ way: 'left' }), '/way must be up, down')
})

test('of very many complaints few are looked at', () => {
  let looked = 0
  const complaints = Array.from({ length: 10_000 }, (_, index) => ({
    ...{ keyword: 'additionalProperties', instancePath: '', message: 'is one too many' },
    get params() {
      looked++
      return { additionalProperty: `key${index}` }
    },
  }))

  const said = describeComplaints(complaints, 'body')

  assert.match(said, /^body: unknown key "key0"; .*"key4"$/)
  assert.ok(looked < 100, `${looked} were looked at`)
})
