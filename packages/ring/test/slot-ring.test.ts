import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { classroomHashes, slotHashes } from '../src/slot-hashes.ts'
import { SlotRing, SlotRingFull } from '../src/slot-ring.ts'

function ringOf(servers: readonly number[], options = {}): SlotRing {
  const ring = new SlotRing(options)
  for (const server of servers) ring.add(server)
  return ring
}

test('servers 1, 2 and 3 take the slots of the contract', () => {
  const ring = ringOf([1, 2, 3])

  assert.deepEqual(ring.slotsOf(1), [26, 29, 34, 41, 50, 61, 74, 89, 106])
  assert.deepEqual(ring.slotsOf(2), [30, 32, 37, 44, 53, 64, 77, 92, 109])
  assert.deepEqual(ring.slotsOf(3), [35, 38, 42, 49, 58, 69, 82, 97, 114])
})

test('request 132574 begins at slot 81 and goes on to server 3', () => {
  assert.equal(classroomHashes.requestSlot(132_574, 512), 81)
  assert.equal(ringOf([1, 2, 3]).locate(132_574), 3)
})

test('three servers get 84.4, 4.7 and 10.9 % of the 6-digit requests', () => {
  const shares = [...ringOf([1, 2, 3]).requestShares().values()]

  assert.deepEqual(
    shares.map((share) => (share * 100).toFixed(1)),
    ['84.4', '4.7', '10.9'],
  )
})

test('the better hashes leave no server of three with over 60 % or under 10 %', () => {
  for (const hashes of Object.values(slotHashes)) {
    if (hashes === classroomHashes) continue
    const shares = [...ringOf([1, 2, 3], { hashes }).requestShares().values()]
    assert.ok(Math.max(...shares) < 0.6 && Math.min(...shares) > 0.1, `${hashes.name}: ${shares}`)
  }
})

test('a request whose own slot is taken stays there', () => {
  const ring = ringOf([1, 2, 3])
  const here = { ...classroomHashes, requestSlot: () => 82 }

  assert.equal(ringOf([1, 2, 3], { hashes: here }).locate(0), 3)
  assert.equal(ring.slotsOf(3).includes(82), true)
})

test('past the last slot comes the first', () => {
  const hashes = { ...classroomHashes, requestSlot: () => 511 }

  assert.equal(ringOf([1, 2, 3], { hashes }).locate(7), 1)
})

test('numbers too large to be squared exactly still land where arithmetic says', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(0x7fff_ffff), fc.nat(8), (request, server, replica) => {
      const i = BigInt(request)
      const s = BigInt(server)
      const j = BigInt(replica)
      assert.equal(classroomHashes.requestSlot(request, 512), Number((i * i + 2n * i + 17n) % 512n))
      assert.equal(
        classroomHashes.serverSlot(server, replica, 512),
        Number((s * s + j * j + 2n * j + 25n) % 512n),
      )
    }),
  )
})

test('a removed server frees its slots for the next one', () => {
  const ring = ringOf([1, 2, 3])

  assert.equal(ring.remove(3), true)
  assert.equal(ring.remove(3), false)
  assert.deepEqual(ring.slotsOf(3), [])
  assert.notEqual(ring.locate(132_574), 3)

  ring.add(3)
  assert.deepEqual(ring.slotsOf(3), [35, 38, 42, 49, 58, 69, 82, 97, 114])
})

test('whatever is added and removed, each server has its own K slots', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(30)), { maxLength: 60 })
  const probings = fc.constantFrom('linear' as const, 'quadratic' as const)
  const pairs = fc.constantFrom(...Object.values(slotHashes))
  fc.assert(
    fc.property(steps, probings, pairs, (changes, probing, hashes) => {
      const ring = new SlotRing({ probing, hashes })
      const expected = new Set<number>()
      for (const [add, server] of changes) {
        if (!add) assert.equal(ring.remove(server), expected.delete(server))
        else if (!expected.has(server)) {
          ring.add(server)
          expected.add(server)
        }
      }
      const slots = ring.servers.flatMap((server) => ring.slotsOf(server))
      assert.deepEqual(new Set(ring.servers), expected)
      assert.equal(slots.length, expected.size * 9)
      assert.equal(new Set(slots).size, slots.length)
    }),
    { numRuns: 60 },
  )
})

test('quadratic probing jumps by squares from the wanted slot', () => {
  const hashes = { ...classroomHashes, serverSlot: () => 10 }
  const ring = ringOf([1], { slots: 64, virtualServers: 4, hashes, probing: 'quadratic' })

  assert.deepEqual(ring.slotsOf(1), [10, 11, 14, 19])
})

test('a server that finds no free slot is refused by name and leaves the ring as it was', () => {
  const ring = ringOf([1, 2], { slots: 16, virtualServers: 7 })
  const before = [ring.slotsOf(1), ring.slotsOf(2)]

  assert.throws(
    () => ring.add(3),
    (error) =>
      error instanceof SlotRingFull &&
      error.server === 3 &&
      error.message.includes('virtual server 2 of server 3: 14 of 16 slots are taken'),
  )
  assert.deepEqual(ring.servers, [1, 2])
  assert.deepEqual([ring.slotsOf(1), ring.slotsOf(2)], before)
  ring.remove(1)
  ring.add(3)
  assert.equal(ring.slotsOf(3).length, 7)
})

test('quadratic probing that misses the free slots is refused like a full ring', () => {
  const hashes = { ...classroomHashes, serverSlot: () => 0 }
  const ring = ringOf([1, 2, 3, 4], { slots: 16, virtualServers: 1, hashes, probing: 'quadratic' })

  assert.throws(() => ring.add(5), SlotRingFull)
})

test('a server that does not accept is passed over clockwise', () => {
  const ring = ringOf([1, 2, 3])

  assert.equal(
    ring.find(132_574, (server) => server !== 3),
    1,
  )
  assert.equal(
    ring.find(132_574, () => false),
    -1,
  )
})

test('an empty ring has nobody to offer', () => {
  assert.equal(new SlotRing().locate(132_574), -1)
  assert.deepEqual(new SlotRing().shares(), [])
})

test('slots not reached by a hash are brought into range, and nonsense is refused', () => {
  const odd = { ...classroomHashes, requestSlot: () => -1.5, serverSlot: () => 10_000.7 }
  const ring = ringOf([1], { hashes: odd })

  assert.equal(ring.locate(5), 1)
  assert.equal(ring.slotsOf(1)[0], 10_000 % 512)
  const broken = { ...classroomHashes, requestSlot: () => Number.NaN }
  assert.throws(() => ringOf([1], { hashes: broken }).locate(5), /answered NaN/)
})

test('shares draw each server’s stretch of slots', () => {
  const shares = ringOf([1, 2, 3]).shares()

  assert.deepEqual(
    shares.map(({ node }) => node),
    [1, 2, 3],
  )
  assert.ok(Math.abs(shares.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9)
  const [first] = shares
  assert.ok(first?.arcs.some(({ from }) => from === 114 / 512))
})

test('bad numbers of slots, virtual servers and servers are refused', () => {
  assert.throws(() => new SlotRing({ slots: 0 }), /slots is 0/)
  assert.throws(() => new SlotRing({ slots: 4, virtualServers: 5 }), /from 1 to 4/)
  assert.throws(() => new SlotRing().add(-1), /server is -1/)
  assert.throws(() => ringOf([7, 7]), /already/)
})
