import type { Progress } from './progress.ts'
import type { Report } from './report.ts'
import type { Stage } from './stage.ts'

/** What an experiment is given to run with. */
export interface Run {
  /** For those that send many requests at once: how many. */
  readonly requests: number
  /** Less of everything, for a first look and for tests. */
  readonly isQuick: boolean
  readonly progress: Progress
  /** Whatever it starts, it starts here. */
  readonly stage: Stage
}

/** An experiment that the command and the dashboard offer. */
export interface Experiment {
  readonly title: string
  /** What it does, in one line. */
  readonly says: string
  /** About how long it takes, in minutes. */
  readonly minutes: number
  /** How often it reports progress. */
  readonly steps: number
  readonly run: (run: Run) => Promise<Report>
}
