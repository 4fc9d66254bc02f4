// Our load generator as a process of its own. Usage: load-process.js <JSON of a load plan>
import { type LoadPlan, type LoadResult, runLoad } from '../load.ts'

/** What it prints: the result, with the histogram as pairs of duration and count. */
export type LoadAnswer = Omit<LoadResult, 'latencies'> & {
  readonly latencies: [number, number][]
}

const { bodyBytes, ...plan } = JSON.parse(process.argv[2] ?? '{}') as LoadPlan & {
  bodyBytes?: number
}
const body = bodyBytes === undefined ? {} : { body: Buffer.alloc(bodyBytes, 'drover ') }
const result = await runLoad({ ...plan, ...body })
process.stdout.write(JSON.stringify({ ...result, latencies: result.latencies.toJSON() }))
