import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Random, seededRandom } from '@drover/kernel'
import { contentsOf, diameterOf, nameOf, randomGraph, SimulatedHerd } from './simulated-herd.ts'

const seeds = Number(process.env.SEEDS ?? 200)
const firstSeed = Number(process.env.SEED ?? 1)

async function everySeed(count: number, run: (seed: number) => Promise<void>): Promise<void> {
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    try {
      await run(seed)
    } catch (error) {
      throw new Error(`seed ${seed} (SEED=${seed} SEEDS=1 replays it)`, { cause: error })
    }
  }
}

test('on any graph each update reaches everybody, over each link at most twice, on a shortest path', async () => {
  await everySeed(seeds, async (seed) => {
    const random = seededRandom(seed)
    const count = random.integer(2, 20)
    const graph = randomGraph(count, random.integer(0, count), random)
    const herd = new SimulatedHerd({ count, graph, seed, sync: seed % 2 === 0 })
    await herd.startAll()
    assert.ok(herd.settleLinks(10_000), 'every link comes up')

    const updates = 20
    for (let update = 0; update < updates; update++) {
      herd.say(random.integer(0, count - 1), `c${update}`, 1_000 + update)
      herd.clock.run(100)
    }
    herd.clock.run(1_000)

    const first = contentsOf(herd.nodes[0] as never)
    assert.equal(first.split('\n').length, updates)
    for (const node of herd.nodes) assert.equal(contentsOf(node as never), first)
    assert.ok(
      herd.sentRecords() <= updates * 2 * graph.length,
      `${herd.sentRecords()} records over ${graph.length} links`,
    )
    assert.ok(herd.hopsMost <= diameterOf(count, graph), `${herd.hopsMost} hops`)
  })
})

test('after loss, delay, partitions and restarts all that are alive agree, and nothing is missing', async () => {
  await everySeed(seeds, async (seed) => {
    const random = seededRandom(seed)
    const count = random.integer(3, 9)
    const graph = randomGraph(count, random.integer(1, count), random)
    const herd = new SimulatedHerd({
      count,
      graph,
      seed,
      outboxMax: seed % 3 === 0 ? 4 : 65_536,
      faults: {
        delayMs: [1, 40],
        dropShare: random.next() * 0.05,
        duplicateShare: random.next() * 0.05,
        reorderShare: random.next() * 0.05,
      },
    })
    await herd.startAll()
    await trouble(herd, count, random)

    const newest = newestOf(herd)
    herd.network.partition()
    for (let node = 0; node < count; node++) if (!herd.nodes[node]) await herd.start(node)
    herd.network.faults = { delayMs: [1, 5], dropShare: 0, duplicateShare: 0, reorderShare: 0 }
    herd.clock.run(20_000)
    for (const node of herd.nodes) assert.ok(node)
    const first = contentsOf(herd.nodes[0] as never)
    for (const node of herd.nodes) assert.equal(contentsOf(node as never), first)
    assert.equal(first, newest, 'what anybody alive held is held by all')
    expectLastWords(herd, count)
  })
})

/** Whatever came before, a new update of each server still goes everywhere. */
function expectLastWords(herd: SimulatedHerd, count: number): void {
  for (let node = 0; node < count; node++) herd.say(node, `last${node}`, 9_000_000)
  herd.clock.run(5_000)
  for (const node of herd.nodes) {
    const lines = contentsOf(node as never)
    for (let other = 0; other < count; other++) assert.match(lines, new RegExp(`last${other} `))
  }
}

/** A minute of updates, some late and some equal, while servers and links come and go. */
async function trouble(herd: SimulatedHerd, count: number, random: Random): Promise<void> {
  let seconds = 1_000
  for (let step = 0; step < 60; step++) {
    await disturb(herd, count, random)
    for (let left = random.integer(0, 5); left > 0; left--) {
      const client = `c${random.integer(0, 30)}`
      const place = `+${random.integer(0, 89)}.5-${random.integer(0, 179)}.25`
      const kind = random.next()
      if (kind > 0.4) seconds++
      herd.say(random.integer(0, count - 1), client, kind < 0.2 ? seconds - 3 : seconds, place)
    }
    herd.clock.run(random.integer(1, 400))
  }
}

async function disturb(herd: SimulatedHerd, count: number, random: Random): Promise<void> {
  const chance = random.next()
  const node = random.integer(0, count - 1)
  if (chance < 0.06) herd.crash(node)
  else if (chance < 0.16) {
    if (!herd.nodes[node]) await herd.start(node)
  } else if (chance < 0.22) {
    const side = new Set(
      Array.from({ length: count }, (_, index) => nameOf(index)).filter(() => random.next() < 0.5),
    )
    herd.network.partition((one, other) => side.has(one) === side.has(other))
  } else if (chance < 0.3) herd.network.partition()
}

/** For each client the newest of what the living nodes hold: what all of them must end with. */
function newestOf(herd: SimulatedHerd): string {
  const newest = new Map<string, { seconds: number; line: string }>()
  for (const node of herd.nodes) {
    for (const line of node ? contentsOf(node).split('\n').filter(Boolean) : []) {
      const words = line.split(' ')
      const seconds = Number(words[4])
      const known = newest.get(words[2] ?? '')
      const isNewer =
        !known || seconds > known.seconds || (seconds === known.seconds && line > known.line)
      if (isNewer) newest.set(words[2] ?? '', { seconds, line })
    }
  }
  return [...newest.values()]
    .map(({ line }) => line)
    .sort()
    .join('\n')
}

/** What a node owes a neighbour: it was linked with that life of it when it heard of this. */
interface Debt {
  readonly from: number
  readonly to: number
  readonly epoch: number
  readonly client: string
  readonly seconds: number
}

test('without sync lost, doubled, late and cut messages lose nothing between servers that stay linked', async () => {
  let checked = 0
  await everySeed(seeds, async (seed) => {
    const random = seededRandom(seed)
    const count = random.integer(3, 9)
    const graph = randomGraph(count, random.integer(1, count), random)
    const herd = new SimulatedHerd({
      count,
      graph,
      seed,
      sync: false,
      faults: {
        delayMs: [1, 40],
        dropShare: random.next() * 0.05,
        duplicateShare: random.next() * 0.05,
        reorderShare: random.next() * 0.05,
      },
    })
    const debts = noteDebts(herd)
    await herd.startAll()
    await trouble(herd, count, random)

    herd.network.partition()
    for (let node = 0; node < count; node++) if (!herd.nodes[node]) await herd.start(node)
    herd.network.faults = { delayMs: [1, 5], dropShare: 0, duplicateShare: 0, reorderShare: 0 }
    herd.clock.run(20_000)
    assert.ok(herd.settleLinks(20_000), 'every link comes up again')
    herd.clock.run(1_000)
    for (const { from, to, epoch, client, seconds } of debts) {
      const node = herd.nodes[to]
      if (!node || node.identity.epoch !== epoch) continue
      const key = Buffer.from(client)
      const slot = node.state.find(0, key, 0, key.length)
      const isThere = slot >= 0 && node.state.compareTime(seconds, 0, slot) <= 0
      assert.ok(isThere, `${nameOf(from)} told ${nameOf(to)} of ${client} at ${seconds}`)
      checked++
    }
    expectLastWords(herd, count)
  })
  assert.ok(checked > 100 * seeds, `${checked} debts`)
})

/** Notes for each news what its node owes to those it is linked with; a dead node owes nothing. */
function noteDebts(herd: SimulatedHerd): Set<Debt> {
  const debts = new Set<Debt>()
  herd.onNews = (from, slot) => {
    const node = herd.nodes[from]
    if (!node) return
    const { seconds, text, textStart, keyBytes } = node.state.recordAt(slot)
    const client = Buffer.from(text.subarray(textStart + 13, textStart + 13 + keyBytes))
    for (const { peer } of node.links) {
      const to = Number(peer.name.slice(1))
      debts.add({ from, to, epoch: peer.epoch, client: `${client}`, seconds })
    }
  }
  herd.onCrash = (index) => {
    for (const debt of debts) if (debt.from === index) debts.delete(debt)
  }
  return debts
}

test('a thousand servers: an update reaches all, over each link at most twice', async () => {
  const random = seededRandom(firstSeed)
  const graph = randomGraph(1_000, 1_000, random)
  const options = { count: 1_000, graph, seed: firstSeed, recordsMax: 32, pingMs: 60_000 }
  const herd = new SimulatedHerd(options)
  await herd.startAll()
  assert.ok(herd.settleLinks(10_000))
  for (let update = 0; update < 5; update++) herd.say(random.integer(0, 999), `c${update}`, 10)
  herd.clock.run(200)

  for (const node of herd.nodes) assert.equal(node?.state.count, 5)
  assert.ok(herd.sentRecords() <= 5 * 2 * graph.length)
  assert.ok(herd.hopsMost <= diameterOf(1_000, graph), `${herd.hopsMost} hops`)
})

test('a cut cable is noticed within seconds, and what was missed comes when it is back', async () => {
  const graph = [[0, 1]] as const
  const herd = new SimulatedHerd({ count: 2, graph, seed: firstSeed })
  await herd.startAll()
  assert.ok(herd.settleLinks(1_000))
  herd.network.partition(() => false)
  herd.say(0, 'during', 10)
  herd.clock.run(4_100)
  assert.deepEqual(
    herd.nodes.map((node) => node?.links.length),
    [0, 0],
  )

  herd.network.partition()
  herd.clock.run(6_000)
  assert.equal(herd.nodes[1]?.state.count, 1)
})

test('without sync a server that comes back is told nothing old, and everything new', async () => {
  const graph = [[0, 1]] as const
  const herd = new SimulatedHerd({ count: 2, graph, seed: firstSeed, sync: false })
  await herd.startAll()
  assert.ok(herd.settleLinks(1_000))
  herd.say(0, 'old', 10)
  herd.clock.run(100)
  herd.crash(1)
  herd.clock.run(100)
  await herd.start(1)
  assert.ok(herd.settleLinks(10_000))
  herd.say(0, 'new', 10)
  herd.clock.run(100)

  assert.match(contentsOf(herd.nodes[1] as never), /^s0 \+0\.000000000 new \S+ 10$/)
})

test('without sync servers that start together are told what was said before they were linked', async () => {
  const graph = [
    [0, 1],
    [1, 2],
  ] as const
  const herd = new SimulatedHerd({ count: 3, graph, seed: firstSeed, sync: false })
  await herd.start(0)
  herd.say(0, 'early', 10)
  herd.clock.run(700)
  await herd.start(1)
  herd.clock.run(700)
  await herd.start(2)
  herd.clock.run(1_000)
  for (const node of herd.nodes) assert.match(contentsOf(node as never), /early/)

  herd.crash(2)
  herd.clock.run(1_000)
  await herd.start(2)
  assert.ok(herd.settleLinks(10_000))
  herd.clock.run(1_000)
  assert.equal(contentsOf(herd.nodes[2] as never), '')
})

test('servers that join by one seed all agree, also after some have left', async () => {
  await everySeed(Math.ceil(seeds / 10), async (seed) => {
    const random = seededRandom(seed)
    const count = random.integer(3, 25)
    const herd = new SimulatedHerd({ count, graph: [], seed, join: true })
    await herd.startAll()
    herd.clock.run(20_000)
    for (let node = 0; node < count; node++) herd.say(node, `c${node}`, 10)
    herd.clock.run(5_000)
    for (const node of herd.nodes) assert.equal(node?.state.count, count)

    for (let left = Math.floor(count / 3); left > 0; left--) {
      const gone = random.integer(1, count - 1)
      void herd.nodes[gone]?.stop()
      herd.nodes[gone] = undefined
    }
    herd.clock.run(30_000)
    herd.say(0, 'after', 10)
    herd.clock.run(5_000)
    for (const node of herd.nodes) if (node) assert.equal(node.state.count, count + 1)
  })
})
