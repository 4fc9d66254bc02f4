import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { systemClock } from '@drover/kernel'
import { startChunksService } from '../commands/chunks/chunks-serve.ts'
import { fault } from '../errors.ts'
import type { Report } from './report.ts'
import type { Run } from './run.ts'
import { quantile } from './statistics.ts'

/** The files of the course's evaluation, in bytes. */
const sizes = [77_000, 600_000, 1_600_000] as const
const herds = [1, 3] as const
const way = 'letters a-z'

interface Measured {
  readonly backends: number
  readonly bytes: number
  /** Of each request, from its first byte to the last of the result. */
  readonly tookMs: readonly number[]
  /** Of the words and of what was counted of them; one entry when all results are alike. */
  readonly sums: ReadonlySet<string>
}

/** Files of three sizes, all letters, by one backend and by three. */
export async function runChunks({ stage, progress, isQuick }: Run): Promise<Report> {
  const book = await readBook()
  const rounds = isQuick ? 3 : 40
  const services: Service[] = []
  for (const backends of herds) {
    progress.step(`starting ${backends === 1 ? 'one backend' : `${backends} backends`}`)
    const data = await stage.folder()
    const limits = { quotaBytes: 2 ** 30, highWater: 100, workers: 1 }
    const where = { host: '127.0.0.1', port: 0, data, backends, ...limits }
    services.push({ backends, ...(await stage.open(() => startChunksService(where))) })
  }
  const seen: Measured[] = []
  for (const bytes of sizes) {
    progress.step(`${named(bytes)}: ${rounds} requests of each`)
    seen.push(...(await measure(services, textOf(book, bytes), rounds)))
  }
  return reportOf(seen, rounds)
}

interface Service {
  readonly backends: number
  readonly url: string
}

/** The book lies in the examples of the project, above the compiled file. */
async function readBook(): Promise<Buffer> {
  const file = new URL('../../../../../examples/texts/opticks.txt', import.meta.url)
  return readFile(file).catch((cause: unknown) => {
    throw fault('EXPERIMENT_FAILED', `the text is not there: ${file.pathname}`, { cause })
  })
}

/** The book as often as it takes, up to the last line end within `bytes`. */
function textOf(book: Buffer, bytes: number): Buffer {
  const copies = Math.ceil(bytes / book.length)
  const text = Buffer.concat(Array.from({ length: copies }, () => book)).subarray(0, bytes)
  return text.subarray(0, text.lastIndexOf(10) + 1)
}

/** Sends the text to each service in turn, so that whatever else the machine does falls on all. */
async function measure(
  services: readonly Service[],
  text: Buffer,
  rounds: number,
): Promise<Measured[]> {
  const rows = services.map(({ backends, url }) => ({
    ...{ backends, url, bytes: text.length, tookMs: [] as number[], sums: new Set<string>() },
  }))
  // The first ones find compilers and caches cold.
  for (let round = -2; round < rounds; round++)
    for (const { url, tookMs, sums } of rows) {
      const beganMs = systemClock.monotonic()
      sums.add(await chunkOnce(url, text))
      if (round >= 0) tookMs.push(systemClock.monotonic() - beganMs)
    }
  return rows
}

/** Sends the text, waits for the result, and returns its sum. */
async function chunkOnce(url: string, text: Buffer): Promise<string> {
  const query = new URLSearchParams({ by: way, as: 'ndjson', wait: 'yes', name: 'book.txt' })
  const answer = await fetch(new URL(`/chunks?${query}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: text as Uint8Array<ArrayBuffer>,
  })
  const result = Buffer.from(await answer.arrayBuffer())
  if (answer.ok) return createHash('sha256').update(result).digest('hex')
  const said = result.toString('utf8', 0, 200)
  throw fault('EXPERIMENT_FAILED', `the service answered ${answer.status}: ${said}`)
}

function reportOf(seen: readonly Measured[], rounds: number): Report {
  const middle = ({ tookMs }: Measured) => quantile(tookMs, 0.5)
  const of = (backends: number) => seen.filter((one) => one.backends === backends)
  const [single, several] = [of(herds[0]), of(herds[1])]
  const gains = single.map((one, index) => middle(one) / middle(several[index] ?? one))
  const points = single.map(({ bytes }) => named(bytes))
  return {
    question: 'What do three backends do for a file that is chunked by letters, small or large?',
    findings: points.map((point, index) => {
      const [one, three] = [single[index], several[index]].map((row) => (row ? middle(row) : 0))
      return `${point}: ${shown(one)} ms on one backend, ${shown(three)} ms on three; ${shown(gains[index])} × as fast`
    }),
    claims: [
      {
        says: 'every result of a file has the same bytes, from one backend or from three',
        holds: single.every(
          ({ sums }, index) => new Set([...sums, ...(several[index]?.sums ?? [])]).size === 1,
        ),
      },
    ],
    charts: [
      {
        kind: 'lines',
        title: 'Until the last byte of the result',
        unit: 'ms',
        axis: 'size of the file',
        points,
        series: [
          { name: 'one backend', values: single.map(middle) },
          { name: 'three backends', values: several.map(middle) },
        ],
      },
      {
        kind: 'bars',
        title: 'Three backends against one',
        unit: 'times as fast',
        mark: 'one backend',
        rows: points.map((label, index) => ({ label, value: gains[index] ?? 0, expected: 1 })),
      },
    ],
    tables: [
      {
        title: 'Requests, one after the other',
        heading: ['file', 'backends', 'requests', 'p50, ms', 'p90, ms', 'MB/s'],
        rows: seen.map((one) => [
          named(one.bytes),
          one.backends,
          one.tookMs.length,
          Number(middle(one).toFixed(1)),
          Number(quantile(one.tookMs, 0.9).toFixed(1)),
          Number((one.bytes / 1_000 / middle(one)).toFixed(1)),
        ]),
      },
    ],
    setup: [
      'drover chunks serve: a front and its backends, each a process, behind a door with least connections',
      `Files of whole lines of examples/texts/opticks.txt, repeated; POST /chunks?by=${way}&as=ndjson&wait=yes, ${rounds} times to each herd in turn, after two that do not count`,
      'A request is taken, written to disk, queued, cut into stretches of at least 16 KiB for the backends, put together and sent back; for a small file that is most of its time',
    ],
  }
}

function named(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`
}

function shown(value = 0): string {
  return value.toFixed(value < 10 ? 2 : 0)
}
