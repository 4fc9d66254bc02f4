import { clientsWithin, createRecord, Fences, type HerdRecord, HerdState } from '@drover/herd'

/**
 * Measures the state in one process, without sockets, and prints JSON: bytes for a million clients,
 * moves and queries a CPU second, and moves while 23,000 fences are watched.
 */
const clients = 1_000_000
const fenceCount = 23_000
const moves = 300_000
const queries = 2_000

let seed = 1
function chance(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

const state = new HerdState({
  recordsMax: clients,
  textBytesMax: clients * 176,
  lifetimeMs: 0,
  hashSeed: 7,
})
const origin = state.origins.enter('Clark', 1)
const record: HerdRecord = createRecord()
const text = Buffer.alloc(256)

/** A record as the line protocol makes it: 13 + 20 + 21 + 20 bytes and blanks. */
function put(client: number, second: number, latitude: number, longitude: number): void {
  const key = `client${client}.bench.example`.padEnd(22, '.')
  const place = `${latitude < 0 ? '-' : '+'}${Math.abs(latitude).toFixed(6)}${longitude < 0 ? '-' : '+'}${Math.abs(longitude).toFixed(6)}`
  const time = `${second}.959498503`
  text.write(`+0.263873386 ${key} ${place} ${time}`, 0, 'latin1')
  record.origin = origin
  record.sequence = second
  record.heardMs = second * 1_000
  record.text = text
  record.differenceBytes = 12
  record.keyBytes = key.length
  record.valueBytes = place.length
  record.timeBytes = time.length
  record.seconds = second
  record.nanos = 959_498_503
  record.latitude = latitude
  record.longitude = longitude
  state.put(record, 0)
}

const latitudes = Float64Array.from({ length: clients }, () => chance() * 178 - 89)
const longitudes = Float64Array.from({ length: clients }, () => chance() * 360 - 180)
const position = (client: number): [number, number] => [
  latitudes[client] as number,
  longitudes[client] as number,
]

for (let client = 0; client < clients; client++) put(client, 1_621_464_827, ...position(client))
globalThis.gc?.()
const residentBytes = process.memoryUsage.rss() - latitudes.byteLength - longitudes.byteLength

/** Seconds of processor time that this process has used: other work on the machine sways them little. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Moves a CPU second: everyone chosen goes about 1 km. */
function measureMoves(second: number): number {
  const begin = cpuSeconds()
  for (let move = 0; move < moves; move++) {
    const client = Math.floor(chance() * clients)
    const [latitude, longitude] = position(client)
    const to = Math.max(-89, Math.min(89, latitude + chance() * 0.02 - 0.01))
    latitudes[client] = to
    put(client, second + move, to, longitude)
  }
  return moves / (cpuSeconds() - begin)
}

/** Queries a CPU second for about 100 hits of a million clients over the globe. */
function measureQueries(): { perSecond: number; hits: number; p99Ms: number } {
  let hits = 0
  const tookMs = new Float64Array(queries)
  const begin = cpuSeconds()
  for (let query = 0; query < queries; query++) {
    const beginMs = performance.now()
    const center = { latitude: chance() * 120 - 60, longitude: chance() * 360 - 180 }
    const radiusKm = 137 / Math.sqrt(Math.cos((center.latitude * Math.PI) / 180))
    hits += clientsWithin(state, center, radiusKm, 10_000, 0).length
    tookMs[query] = performance.now() - beginMs
  }
  const perSecond = queries / (cpuSeconds() - begin)
  tookMs.sort()
  return { perSecond, hits: hits / queries, p99Ms: tookMs[Math.floor(queries * 0.99)] as number }
}

measureMoves(1_621_500_000)
const movesBare = measureMoves(1_622_000_000)
measureQueries()
const query = measureQueries()

const fences = new Fences()
let crossings = 0
const to = { latitude: 0, longitude: 0 }
state.observer = {
  moved(slot, from) {
    to.latitude = state.latitudeAt(slot)
    to.longitude = state.longitudeAt(slot)
    fences.moved(slot, from, to)
  },
  expired() {},
}
for (let fence = 0; fence < fenceCount; fence++) {
  const center = { latitude: chance() * 170 - 85, longitude: chance() * 360 - 180 }
  fences.add({ kind: 'circle', center, radiusKm: 5 + chance() * 45 }, () => {
    crossings++
  })
}
measureMoves(1_623_000_000)
const movesFenced = measureMoves(1_624_000_000)

process.stdout.write(
  `${JSON.stringify({ residentBytes, movesBare, movesFenced, crossings, query })}\n`,
)
