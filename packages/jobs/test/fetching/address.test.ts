import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { refusalOf } from '../../src/fetching/address.ts'
import { createGuard } from '../../src/fetching/guard.ts'

const refused = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  'fc00::1',
  '4000::1',
  '192.88.99.1',
  'fd20:ce::254',
  '::ffff:0:127.0.0.1',
  '100:0:0:1::1',
  '5f00::1',
  '3fff::1',
  '2001:10::1',
  '2001:20::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '127.1',
  '0x7f000001',
  '2130706433',
  '0',
  '',
  'localhost',
]

for (const address of refused)
  test(`"${address}" is refused`, () => {
    const reason = refusalOf(address)

    assert.notEqual(reason, undefined)
  })

for (const address of [
  '1.1.1.1',
  '93.184.216.34',
  '172.32.0.1',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
])
  test(`"${address}" is public`, () => {
    const reason = refusalOf(address)

    assert.equal(reason, undefined)
  })

test('an IPv4 address is judged alike when it is written as IPv6', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      assert.equal(refusalOf(`::ffff:${address}`) === undefined, refusalOf(address) === undefined)
    }),
  )
})

test('the allow list opens ranges, addresses, names, and one port of them', () => {
  const guard = createGuard(['10.0.0.0/8', '127.0.0.1:8080', 'wiki.example', '[::1]:9', 'fd00::/8'])

  const opened = (host: string, address: string, port: number) =>
    guard.refusal(host, address, port) === undefined

  assert.ok(opened('a.example', '10.1.1.1', 80))
  assert.ok(opened('a.example', '::ffff:127.0.0.1', 8080))
  assert.ok(!opened('a.example', '127.0.0.1', 8081))
  assert.ok(opened('WIKI.example', '192.168.1.1', 80))
  assert.ok(!opened('evil.example', '192.168.1.1', 80))
  assert.ok(opened('::1', '::1', 9))
  assert.ok(!opened('::1', '::1', 10))
  assert.ok(opened('a.example', 'fd00::1', 1))
  assert.ok(opened('a.example', '1.1.1.1', 80))
})

test('a range is what is written, and an address opens itself alone', () => {
  const guard = createGuard(['10.1.2.0/30', '192.168.1.1', 'fd00:1::/64'])
  const opened = ['10.1.1.255', '10.1.2.0', '10.1.2.3', '10.1.2.4', '192.168.1.1', '192.168.1.10']
    .concat('fd00:1::1', 'fd00:1:0:1::1')
    .filter((address) => guard.refusal('a.example', address, 80) === undefined)

  assert.deepEqual(opened, ['10.1.2.0', '10.1.2.3', '192.168.1.1', 'fd00:1::1'])
})

const wrong = [
  '10.0.0.0/33',
  'a b',
  'name:99999999',
  '',
  '10/8',
  '10',
  '127.1',
  '0x7f.1',
  '0177.0.0.1',
]
for (const entry of [
  ...wrong,
  '*',
  '*.example',
  'a.example:0',
  'a.example:65536',
  '2130706433/32',
  '10.0.0.0/8/8',
  'fe80::1%eth0/64',
  'http://a.example',
  '[a.example]',
  '10.0.0.0/',
  '1.2.3.4.5',
])
  test(`an allow list with "${entry}" is refused`, () => {
    assert.throws(() => createGuard([entry]), RangeError)
  })
