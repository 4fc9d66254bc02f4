import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { numberServers, slotHashes } from '../src/slot-hashes.ts'

test('a name like Server 3 is number 3, any other name keeps a number of its own', () => {
  const numbers = numberServers(['Server 3', 'S5', 'Server 12', 'Server 03', 'server 4'])

  assert.equal(numbers[0], 3)
  assert.equal(numbers[2], 12)
  assert.ok(numbers.every((number, index) => index % 2 === 0 || number >= 0x10_0000))
  assert.deepEqual(numberServers(['S5']), [numbers[1]])
})

test('different names always get different numbers that a ring accepts', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), (names) => {
      const numbers = numberServers(names)
      assert.equal(new Set(numbers).size, names.length)
      assert.ok(numbers.every((number) => Number.isInteger(number) && number >= 0))
      assert.ok(numbers.every((number) => number <= 0x7fff_ffff))
    }),
  )
})

test('a name that is there twice gets two numbers', () => {
  assert.deepEqual(numberServers(['Server 1', 'Server 1']), [1, 2])
})

test('every pair answers slots in range, for any number of slots', () => {
  const slots = fc.integer({ min: 1, max: 100_000 })
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(0x7fff_ffff), fc.nat(20), slots, (i, s, j, size) => {
      for (const hashes of Object.values(slotHashes)) {
        for (const slot of [hashes.requestSlot(i, size), hashes.serverSlot(s, j, size)])
          assert.ok(Number.isInteger(slot) && slot >= 0 && slot < size, `${hashes.name}: ${slot}`)
      }
    }),
  )
})

test('the classroom pair reaches 87 of 512 slots, the others nearly all', () => {
  const reached = Object.values(slotHashes).map(({ name, requestSlot }) => {
    const slots = new Set<number>()
    for (let request = 100_000; request < 120_000; request++) slots.add(requestSlot(request, 512))
    return [name, slots.size] as const
  })

  const sizes = Object.fromEntries(reached)
  assert.equal(sizes.classroom, 87)
  for (const name of ['multiplicative', 'fnv', 'murmur']) assert.ok((sizes[name] ?? 0) > 500)
})
