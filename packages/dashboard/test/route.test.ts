import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkTo, parseRoute } from '../src/shell/route.ts'

test('an address without a place is the services', () => {
  for (const hash of ['', '#', '#/', '#//'])
    assert.deepEqual(parseRoute(hash), { section: 'services', rest: [] })
})

test('a link leads where it was meant to, whatever the names are', () => {
  const names = ['queue', 'my queue', 'a/b#c?d%', 'ü']

  assert.deepEqual(parseRoute(linkTo(...names)), { section: 'queue', rest: names.slice(1) })
})

test('a stray % in an address is taken as it is', () => {
  assert.deepEqual(parseRoute('#/jobs/50%'), { section: 'jobs', rest: ['50%'] })
})
