import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readChange } from '../../src/manage/change.ts'

test('JSON and forms say the same', () => {
  const wanted = { n: 3, hostnames: ['S5', 'S4'] }

  assert.deepEqual(readChange('{"n":3,"hostnames":["S5","S4"]}'), wanted)
  assert.deepEqual(readChange('n=3&hostnames=S5&hostnames=S4'), wanted)
  assert.deepEqual(readChange('n=3&hostnames%5B%5D=S5&hostnames%5B%5D=S4'), wanted)
})

test('hostnames may be missing, and server_id alone is one of that name', () => {
  assert.deepEqual(readChange('{"n":2}'), { n: 2, hostnames: [] })
  assert.deepEqual(readChange('n=2&hostnames='), { n: 2, hostnames: [] })
  assert.deepEqual(readChange('server_id=S5'), { n: 1, hostnames: ['S5'] })
  assert.deepEqual(readChange('{"server_id":"Server 5"}'), { n: 1, hostnames: ['Server 5'] })
})

const refused: [body: string, message: RegExp][] = [
  ['{"n":0}', /n must be a positive integer, not 0/],
  ['{"n":-2}', /not -2/],
  ['{"n":1.5}', /not 1\.5/],
  ['{"n":"3"}', /not "3"/],
  ['{"n":null}', /not null/],
  ['{"n":true}', /not true/],
  ['n=three', /not "three"/],
  ['n=-1', /not -1/],
  ['{}', /n is missing/],
  ['', /n is missing/],
  ['{"n":1,"hostnames":"S5"}', /hostnames must be a list of names, not "S5"/],
  ['{"n":1,"hostnames":[5]}', /hostname 5 is not a text/],
  ['{"n":1,"hostnames":["S5 "]}', /hostname "S5 " begins or ends with a blank/],
  ['{"n":', /the body is not JSON/],
  ['[1]', /n is missing/],
]

for (const [body, message] of refused)
  test(`refused: ${body || 'nothing'}`, () => {
    assert.throws(() => readChange(body), message)
  })
