import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, parseAddress, parseDuration, parseSize } from '../src/units.ts'

test('durations name their unit', () => {
  assert.equal(parseDuration('500ms'), 500)
  assert.equal(parseDuration('1.5s'), 1_500)
  assert.equal(parseDuration('2m'), 120_000)
  assert.equal(parseDuration('1h'), 3_600_000)
  assert.equal(parseDuration('7d'), 604_800_000)
})

test('a duration without unit, or with an odd one, is refused by name', () => {
  for (const text of ['5', '', 's', '-5s', '5 sec', '1e3s', '0x5s'])
    assert.throws(() => parseDuration(text), { name: 'RangeError', message: /is not a duration/ })
})

test('sizes know decimal and binary units', () => {
  assert.equal(parseSize('512'), 512)
  assert.equal(parseSize('64KiB'), 65_536)
  assert.equal(parseSize('8MB'), 8_000_000)
  assert.equal(parseSize('1.5GiB'), 1_610_612_736)
  for (const text of ['', 'many', '1QB', '-1', '1 K iB'])
    assert.throws(() => parseSize(text), { name: 'RangeError', message: /is not a size/ })
})

test('addresses: host and port, every interface, loopback, IPv6', () => {
  assert.deepEqual(parseAddress('127.0.0.1:5000'), { host: '127.0.0.1', port: 5_000 })
  assert.deepEqual(parseAddress(':5000'), { host: '0.0.0.0', port: 5_000 })
  assert.deepEqual(parseAddress('5000'), { host: '127.0.0.1', port: 5_000 })
  assert.deepEqual(parseAddress('[::1]:80'), { host: '::1', port: 80 })
  assert.deepEqual(parseAddress('example.org:0'), { host: 'example.org', port: 0 })
  for (const text of ['', 'host', 'host:', '1.2.3.4:70000', '::1:80', 'a b:1'])
    assert.throws(() => parseAddress(text), { name: 'RangeError', message: /is not an address/ })
})

test('an address is written as it is read', () => {
  for (const text of ['127.0.0.1:5000', '[::1]:80', 'example.org:443'])
    assert.equal(formatAddress(parseAddress(text)), text)
})
