import { watchHerd } from '@drover/herd'
import { systemClock } from '@drover/kernel'
import type { Chart } from './charts/charts.ts'
import { type HerdLab, neighboursOf, sentRecords } from './herd-lab.ts'
import { openLineClient } from './line-client.ts'
import type { Table } from './report.ts'
import type { Stage } from './stage.ts'
import { quantile } from './statistics.ts'
import { until } from './until.ts'

const everywhereMsMax = 10_000
const globe = { south: -90, north: 90, west: -180, east: 180 }
const location = '+34.068930-118.445127'

/** How an update went from one server to all. */
interface Flooded {
  readonly entry: string
  /** From sending it until the last server had it, in ms. */
  readonly wholeMs: number
  /** From the answer until the last server had it, in ms; 0 when all had it before. */
  readonly lastMs: number
  /** The same for the neighbours of the entry server. */
  readonly neighbourMs: number
}

/** What flooding was measured to be. */
export interface Flooding {
  readonly updates: readonly Flooded[]
  /** Records that went over links. */
  readonly messages: number
  readonly links: number
}

/** Sends `each` updates to every server, one after the other, and times their way to all others. */
export async function measureFlooding(
  stage: Stage,
  herd: HerdLab,
  each: number,
  onServer: (name: string) => void,
): Promise<Flooding> {
  const arrivals = await watchAll(stage, herd)
  const before = await countMessages(herd)
  const updates: Flooded[] = []
  for (const entry of herd.names) {
    onServer(entry)
    updates.push(...(await floodFrom(herd, entry, each, arrivals)))
  }
  const messages = (await countMessages(herd)) - before
  return { updates, messages, links: herd.links.length }
}

/** When each server told of each client, by client and server. */
type Arrivals = Map<string, Map<string, number>>

/** Watches a fence around the globe at every server; resolves when all watches are known to work. */
async function watchAll(stage: Stage, herd: HerdLab): Promise<Arrivals> {
  const arrivals: Arrivals = new Map()
  const over = new AbortController()
  await stage.open(async () => ({ stop: async () => over.abort() }))
  for (const name of herd.names) {
    const note = ({ client }: { readonly client: string }) => {
      const seen = arrivals.get(client) ?? new Map<string, number>()
      arrivals.set(client, seen.set(name, systemClock.monotonic()))
    }
    const box = { kind: 'box', box: globe } as const
    watchHerd(herd.server(name).http, box, note, over.signal).catch(() => {
      // Then its arrivals are missing, and whoever waits for them says so.
    })
  }
  const [first = ''] = herd.names
  const client = await openLineClient(herd.server(first).address)
  let probe = 0
  await until('all servers tell of what they hear', everywhereMsMax, async () => {
    await client.ask(iamat(`probe${probe++}`))
    return [...arrivals.values()].some((seen) => seen.size === herd.names.length)
  })
  await client.stop()
  return arrivals
}

async function floodFrom(
  herd: HerdLab,
  entry: string,
  each: number,
  arrivals: Arrivals,
): Promise<Flooded[]> {
  const client = await openLineClient(herd.server(entry).address)
  const neighbours = neighboursOf(herd.links, entry)
  const updates: Flooded[] = []
  for (let number = 0; number < each; number++) {
    const name = `${entry}${number}`
    const sentMs = systemClock.monotonic()
    const { atMs } = await client.ask(iamat(name))
    const isEverywhere = () => arrivals.get(name)?.size === herd.names.length
    await arrived(name, isEverywhere)
    const seen = arrivals.get(name) ?? new Map<string, number>()
    const after = (names: readonly string[]) =>
      Math.max(0, ...names.map((one) => (seen.get(one) ?? atMs) - atMs))
    updates.push({
      entry,
      wholeMs: Math.max(...seen.values()) - sentMs,
      lastMs: after(herd.names),
      neighbourMs: after(neighbours),
    })
  }
  await client.stop()
  return updates
}

/** Looks after every turn of the event loop: an arrival is noted when it is read, not when it is looked for. */
async function arrived(name: string, isEverywhere: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !isEverywhere(); turn++)
    await new Promise((resolve) => setImmediate(resolve))
  await until(`${name} is known everywhere`, everywhereMsMax, isEverywhere)
}

/** How many records all servers have sent to each other. */
async function countMessages(herd: HerdLab): Promise<number> {
  const counts = await Promise.all(herd.names.map((name) => sentRecords(herd.server(name))))
  return counts.reduce((sum, count) => sum + count, 0)
}

function iamat(client: string): string {
  return `IAMAT ${client} ${location} ${(systemClock.now() / 1_000).toFixed(6)}`
}

/** The longest is in the table: one that is far off would press all others to the ground. */
const percents = [1, 10, 25, 50, 75, 90, 95, 99] as const

/** Returns the charts and the table of flooding times. */
export function drawFlooding({ updates }: Flooding): { charts: Chart[]; tables: Table[] } {
  const entries = [...new Set(updates.map(({ entry }) => entry))]
  const timesOf = (entry: string) =>
    updates.filter((one) => one.entry === entry).map(({ lastMs }) => lastMs)
  const all = updates.map(({ wholeMs }) => wholeMs)
  return {
    charts: [
      {
        kind: 'bars',
        title: 'From sending to the last of five',
        unit: 'updates',
        rows: bins(all),
      },
      {
        kind: 'lines',
        title: 'From the answer to the last of five, by the server that was told',
        unit: 'ms',
        points: percents.map((percent) => `${percent} %`),
        axis: 'share of the updates that took no longer',
        series: entries.map((name) => ({
          name,
          values: percents.map((percent) => quantile(timesOf(name), percent / 100)),
        })),
      },
    ],
    tables: [
      {
        title: 'From the answer to the last of five, ms',
        heading: ['told', 'updates', 'p50', 'p90', 'p99', 'longest', 'neighbours only, p99'],
        rows: entries.map((entry) => {
          const times = timesOf(entry)
          const near = updates.filter((one) => one.entry === entry)
          const of = (share: number) => quantile(times, share).toFixed(2)
          const neighbours = quantile(
            near.map(({ neighbourMs }) => neighbourMs),
            0.99,
          )
          return [entry, times.length, of(0.5), of(0.9), of(0.99), of(1), neighbours.toFixed(2)]
        }),
      },
    ],
  }
}

/** The distribution in ten bins from 0 to the 99th percentile, and one for the rest. */
function bins(times: readonly number[]) {
  const wide = Math.max(0.1, Math.ceil((quantile(times, 0.99) / 10) * 10) / 10)
  const counts = Array.from({ length: 11 }, () => 0)
  for (const time of times) {
    const bin = Math.min(10, Math.floor(time / wide))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  const edge = (bin: number) => (bin * wide).toFixed(1)
  return counts.map((value, bin) => ({
    label: bin === 10 ? `${edge(10)} ms and more` : `${edge(bin)} to ${edge(bin + 1)} ms`,
    value,
  }))
}
