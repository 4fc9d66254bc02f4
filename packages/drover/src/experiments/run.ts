import type { Clock } from '@drover/kernel'
import { catalogue, type ExperimentName } from './catalogue.ts'
import { describeMachine } from './machine.ts'
import type { Progress } from './progress.ts'
import type { Finished, Report } from './report.ts'
import { createStage, type Stage } from './stage.ts'

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

/** What is said about a run, beside what the experiment is given. */
export interface RunWish extends Omit<Run, 'stage'> {
  readonly name: ExperimentName
  readonly experiment: (run: Run) => Promise<Report>
  /** The command that makes the same again. */
  readonly command: string
  readonly clock: Clock
  /** Hears of the stage before anything is on it, so that it can be ended from outside. */
  readonly onStage: (stage: Stage) => void
}

/** Runs an experiment, and ends whatever it started, also when it fails. */
export async function runExperiment(wish: RunWish): Promise<Finished> {
  const { name, experiment, command, clock, onStage, ...given } = wish
  const { title } = catalogue[name]
  const stage = createStage()
  onStage(stage)
  const [machine, startedAtMs, beganMs] = [describeMachine(), clock.now(), clock.monotonic()]
  try {
    const report = await experiment({ ...given, stage })
    const tookMs = clock.monotonic() - beganMs
    return { name, title, report, command, machine, startedAtMs, tookMs }
  } finally {
    await stage.end()
  }
}
