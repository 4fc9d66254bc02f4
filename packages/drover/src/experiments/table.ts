import { runA1 } from './a1.ts'
import { runA2 } from './a2.ts'
import { runA3 } from './a3.ts'
import { runA4 } from './a4.ts'
import { runFiles } from './files.ts'
import type { Progress } from './progress.ts'
import type { Report } from './report.ts'
import { runShares } from './shares.ts'

/** An experiment that the command knows. */
export interface Experiment {
  /** What it asks, in one line. */
  readonly says: string
  /** How often it reports progress. */
  readonly steps: number
  readonly run: (requests: number, progress: Progress) => Promise<Report>
}

/** Every experiment by its name; the one place to add to. */
export const experiments: Readonly<Record<string, Experiment>> = {
  a1: { says: 'requests of each of three replicas, 10,000 at once', steps: 1, run: runA1 },
  a2: { says: 'the same on two to six replicas', steps: 5, run: runA2 },
  a3: { says: 'every endpoint, and how soon a dead replica is replaced', steps: 2, run: runA3 },
  a4: { says: 'a1 and a2 with other hash functions', steps: 30, run: runA4 },
  shares: { says: 'how policies share 100 requests', steps: 4, run: runShares },
  files: {
    says: 'one backend against three, by file size and parallel calls',
    steps: 2,
    run: runFiles,
  },
}
