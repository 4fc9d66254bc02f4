// Measures one ring in a process of its own, so that no other's code or garbage sways the figures.
// Usage: ring-subject.js <name>; prints one line of JSON.
import { HashRing, MaglevTable, murmurHashes, Rendezvous, SlotRing } from '@drover/ring'
import ConsistentHash from 'consistent-hash'
import PeerRing from 'hashring'

const servers = Array.from({ length: 100 }, (_, index) => `10.0.0.${index + 1}:8080`)
const nodes = servers.map((id) => ({ id }))
const virtualNodes = 100

/** Makes the ring and returns its lookup. Each has a closure of its own, as in a real program. */
const subjects: Record<string, () => (key: string, number: number) => unknown> = {
  'hash-ring': () => {
    const ring = new HashRing(nodes, { virtualNodes })
    return (key) => ring.locate(key)
  },
  maglev: () => {
    const table = new MaglevTable(nodes)
    return (key) => table.locate(key)
  },
  rendezvous: () => {
    const rendezvous = new Rendezvous(nodes)
    return (key) => rendezvous.locate(key)
  },
  'slot-ring': () => {
    const ring = new SlotRing({ slots: 16_384, virtualServers: 100, hashes: murmurHashes })
    for (let server = 1; server <= 100; server++) ring.add(server)
    return (_, number) => ring.locate(number)
  },
  hashring: () => {
    const ring = new PeerRing(servers, 'md5', { 'vnode count': virtualNodes })
    return (key) => ring.get(key)
  },
  'consistent-hash-100': () => consistentHash(100, 100_003),
  'consistent-hash-400': () => consistentHash(400, 1_000_003),
}

/** Its default range, 100,003 positions, has no room for 400 points of each server. */
function consistentHash(points: number, range: number): (key: string) => unknown {
  const ring = new ConsistentHash({ range })
  for (const server of servers) ring.add(server, points)
  ring.get('it sorts its points at the first lookup')
  return (key) => ring.get(key)
}

/** CPU time of this process in ms. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user-${(index * 7_919) % 1_000_003}`)
}

function lookupsPerSecond(
  locate: (key: string, number: number) => unknown,
  keys: string[],
): number {
  const mask = keys.length - 1
  let found = 0
  let done = 0
  const startMs = cpuMs()
  while (cpuMs() - startMs < 400) {
    for (let index = 0; index < 20_000; index++)
      if (locate(keys[index & mask] ?? '', done + index) !== undefined) found++
    done += 20_000
  }
  if (found !== done) throw new Error(`${done - found} keys have no node`)
  return done / ((cpuMs() - startMs) / 1_000)
}

const make = subjects[process.argv[2] ?? '']
if (make === undefined) throw new Error(`no ring is called ${process.argv[2]}`)
make()
const buildStartMs = cpuMs()
const builds = 3
for (let build = 1; build < builds; build++) make()
const locate = make()
const buildMs = (cpuMs() - buildStartMs) / builds

const many = keysOf(16_384)
const few = keysOf(1_024)
lookupsPerSecond(locate, many)
lookupsPerSecond(locate, few)
process.stdout.write(
  `${JSON.stringify({ buildMs, many: lookupsPerSecond(locate, many), few: lookupsPerSecond(locate, few) })}\n`,
)
