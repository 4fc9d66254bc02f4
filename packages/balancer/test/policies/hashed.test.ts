import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seededRandom } from '@drover/kernel'
import { createCandidates, makePolicy, pickAll } from './candidates.ts'

const keys = Array.from({ length: 20_000 }, (_, index) => `client ${index}`)
const ten = Array<number>(10).fill(1)

describe('removing one of ten replicas', () => {
  for (const [name, extraMax] of [
    ['ring', 0],
    ['rendezvous', 0],
    ['maglev', 0.02],
  ] as const)
    test(`${name} moves only that replica's keys, and at most ${extraMax * 100} % more`, () => {
      const candidates = createCandidates(ten)
      const before = pickAll(makePolicy(name, candidates).policy, keys)

      const after = pickAll(makePolicy(name, candidates.toSpliced(3, 1)).policy, keys)

      const moved = keys.filter(
        (_, index) => before[index] !== 'Server 4' && before[index] !== after[index],
      )
      assert.ok(moved.length <= extraMax * keys.length, `${moved.length} moved`)
      assert.ok(!after.includes('Server 4'))
    })
})

describe('spread over ten replicas', () => {
  for (const [name, spreadMax] of [
    ['ring', 1.25],
    ['rendezvous', 1.06],
    ['maglev', 1.06],
  ] as const)
    test(`${name} gives nobody over ${spreadMax} times the mean`, () => {
      const picked = pickAll(makePolicy(name, createCandidates(ten)).policy, keys)

      const counts = Map.groupBy(picked, (one) => one)
      const most = Math.max(...[...counts.values()].map(({ length }) => length))
      assert.ok(most <= (spreadMax * keys.length) / 10, `${most}`)
    })

  for (const name of ['ring', 'rendezvous', 'maglev'] as const)
    test(`${name} follows the weights`, () => {
      const candidates = createCandidates([3, 1])

      const picked = pickAll(makePolicy(name, candidates, {}).policy, keys)

      const share = picked.filter((one) => one === 'Server 1').length / keys.length
      assert.ok(Math.abs(share - 0.75) < 0.06, `${share}`)
    })
})

describe('a busy owner', () => {
  for (const name of ['ring', 'rendezvous', 'maglev', 'slot-ring'] as const)
    test(`is passed over by ${name}, always for the same other one`, () => {
      const candidates = createCandidates([1, 1, 1, 1])
      const { policy } = makePolicy(name, candidates)
      const owner = policy.pick({ key: 'somebody', tried: [] })
      assert.ok(owner)
      owner.inFlightMax = 0

      const others = new Set(pickAll(policy, Array(5).fill('somebody')))

      assert.equal(others.size, 1)
      assert.ok(!others.has(owner.name))
    })
})

test('bounded loads never exceed the bound', () => {
  const random = seededRandom(3)
  const weights = [1, 2, 3, 1, 1]
  const candidates = createCandidates(weights)
  const { policy } = makePolicy('ring', candidates, { epsilon: 0.25 })
  let underWay = 0

  for (let step = 0; step < 20_000; step++) {
    const busy = candidates.filter(({ inFlight }) => inFlight > 0)
    if (underWay > 100 || (busy.length > 0 && random.next() < 0.45)) {
      const ended = random.pick(busy)
      if (ended) ended.inFlight--
      underWay--
      continue
    }
    const picked = policy.pick({ key: `hot ${random.integer(0, 3)}`, tried: [] })
    assert.ok(picked)
    picked.inFlight++
    underWay++
    assert.ok(picked.inFlight <= Math.ceil(1.25 * underWay * (picked.weight / 8)))
  }
})

test('without a bound a ring leaves a hot key with its owner', () => {
  const candidates = createCandidates([1, 1, 1])
  const { policy } = makePolicy('ring', candidates, { epsilon: 0 })

  for (let request = 0; request < 50; request++) {
    const picked = policy.pick({ key: 'hot', tried: [] })
    if (picked) picked.inFlight++
  }

  assert.deepEqual(candidates.map(({ inFlight }) => inFlight).sort(), [0, 0, 50])
})

test('slot-ring sends request 132574 to Server 3, as the contract says', () => {
  const { policy } = makePolicy('slot-ring', createCandidates([1, 1, 1]))

  assert.deepEqual(pickAll(policy, [132_574]), ['Server 3'])
})

test('slot-ring shares requests as unevenly as the contract says', () => {
  const random = seededRandom(11)
  const { policy } = makePolicy('slot-ring', createCandidates([1, 1, 1]))
  const requests = Array.from({ length: 50_000 }, () => random.integer(100_000, 999_999))

  const picked = pickAll(policy, requests)

  const shareOf = (name: string) => (100 * picked.filter((one) => one === name).length) / 50_000
  assert.ok(Math.abs(shareOf('Server 1') - 84.4) < 1, `${shareOf('Server 1')}`)
  assert.ok(Math.abs(shareOf('Server 2') - 4.7) < 1, `${shareOf('Server 2')}`)
  assert.ok(Math.abs(shareOf('Server 3') - 10.9) < 1, `${shareOf('Server 3')}`)
})

test('slot-ring leaves those without requests for whom no slot is left', () => {
  const candidates = createCandidates([1, 1, 1])
  const { policy } = makePolicy('slot-ring', candidates, { slots: 4, virtualServers: 2 })

  const picked = new Set(pickAll(policy, Array(100).keys()))

  assert.deepEqual([...picked].sort(), ['Server 1', 'Server 2'])
})
