import type { Clock } from '@drover/kernel'
import type { Experiment, Run } from './experiment.ts'
import { describeMachine } from './machine.ts'
import type { Finished } from './report.ts'
import { createStage, type Stage } from './stage.ts'

/** What is said about a run, beside what it is given. */
export interface RunWish extends Omit<Run, 'stage'> {
  readonly name: string
  /** The command that makes the same again. */
  readonly command: string
  readonly clock: Clock
  /** Hears of the stage before anything is on it, so that it can be ended from outside. */
  readonly onStage: (stage: Stage) => void
}

/** Runs an experiment, and ends whatever it started, also when it fails. */
export async function runExperiment({ title, run }: Experiment, wish: RunWish): Promise<Finished> {
  const { name, command, clock, onStage, ...given } = wish
  const stage = createStage()
  onStage(stage)
  const [machine, startedAtMs, beganMs] = [describeMachine(), clock.now(), clock.monotonic()]
  try {
    const report = await run({ ...given, stage })
    const tookMs = clock.monotonic() - beganMs
    return { name, title, report, command, machine, startedAtMs, tookMs }
  } finally {
    await stage.end()
  }
}
