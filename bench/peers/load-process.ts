// Our load generator as a process of its own. Usage: load-process.js <JSON of a load plan>
import { type LoadPlan, type LoadResult, runLoad } from '../load.ts'

/** What it prints: the result, with the histogram as pairs of duration and count. */
export type LoadAnswer = Omit<LoadResult, 'latencies'> & {
  readonly latencies: [number, number][]
}

const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan
const result = await runLoad(plan)
process.stdout.write(JSON.stringify({ ...result, latencies: result.latencies.toJSON() }))
