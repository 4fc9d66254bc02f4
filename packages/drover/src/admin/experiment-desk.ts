import { type ChildProcess, spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { EventLog } from '../event-log.ts'
import {
  catalogue,
  type ExperimentName,
  experimentNamed,
  experimentNames,
} from '../experiments/catalogue.ts'
import type { ProgressMessage } from '../experiments/progress.ts'
import { ownCommand } from '../own-command.ts'
import type { ExperimentView } from './schemas.ts'

/** What the desk needs. */
export interface DeskParts {
  /** Where the reports lie; it is made when the first is written. */
  readonly folder: string
  readonly events: EventLog
  readonly clock: Clock
  /** What runs an experiment and takes its name as the last word; this very command if absent. */
  readonly command?: readonly string[]
}

/** Runs experiments for the admin API, one at a time. */
export interface ExperimentDesk {
  list(): Promise<ExperimentView[]>
  /** Throws EXPERIMENT_UNKNOWN or EXPERIMENT_RUNNING. */
  start(name: string, isQuick: boolean): void
  /** Ends the one that runs; what it has started ends with it. Throws EXPERIMENT_UNKNOWN or EXPERIMENT_IDLE. */
  cancel(name: string): void
  /** Returns the file of the last report. Throws EXPERIMENT_UNKNOWN or REPORT_MISSING. */
  reportFile(name: string): Promise<string>
  /** Ends what runs and resolves when it has ended. */
  stop(): Promise<void>
}

/** An experiment that has not ended after this many ms hangs. */
const runMsMax = 15 * 60_000
/** One that was cancelled has this many ms to end what it started. */
const cancelMsMax = 10_000
/** And this many when the whole instance stops. */
const stopMsMax = 1_500
/** As many letters of its error output are kept. */
const wordsMax = 2_000

type Ending = 'done' | 'failed' | 'cancelled'

/** What is known of an experiment's last run in this instance. */
interface Run {
  state: 'running' | 'stopping' | Ending
  message: string
  step: number
  steps: number
  readonly startedAtMs: number
  endedAtMs: number | null
}

/** The run that is under way, and the process that does it. */
interface Under {
  readonly name: string
  readonly child: ChildProcess
  readonly ended: Promise<void>
  end(why: string, mostMs: number): void
}

/**
 * Returns the desk. A run is a process of its own, so that it disturbs the instance no more than any
 * other program; it ends with the instance, however that ends: their channel closes.
 *
 *   idle ── start ──▶ running ──┬── exit 0 ─────────────▶ done
 *                               ├── exit, signal, 15 min ─▶ failed
 *                               └── cancel ─▶ stopping ──▶ cancelled
 */
export function createExperimentDesk(parts: DeskParts): ExperimentDesk {
  const { folder, clock } = parts
  const runs = new Map<string, Run>()
  let under: Under | undefined
  return {
    list: () => Promise.all(experimentNames.map((name) => viewOf(folder, name, runs.get(name)))),
    start(name, isQuick) {
      const { steps } = catalogue[experimentNamed(name)]
      if (under) throw fault('EXPERIMENT_RUNNING', `"${under.name}" runs; wait, or cancel it`)
      const startedAtMs = clock.now()
      const message = 'starting'
      const run: Run = { state: 'running', message, step: 0, steps, startedAtMs, endedAtMs: null }
      runs.set(name, run)
      under = launch(parts, name, isQuick, run)
      void under.ended.then(() => {
        under = undefined
      })
    },
    cancel(name) {
      experimentNamed(name)
      if (under?.name !== name) throw fault('EXPERIMENT_IDLE', `"${name}" does not run`)
      under.end('cancelled', cancelMsMax)
    },
    async reportFile(name) {
      experimentNamed(name)
      const file = join(folder, `${name}.html`)
      if ((await madeAt(file)) === undefined)
        throw fault('REPORT_MISSING', `"${name}" has no report yet; run it first`)
      return file
    },
    async stop() {
      under?.end('the instance stops', stopMsMax)
      await under?.ended
    },
  }
}

/** Starts the process of a run; `run` is kept true until it has ended. */
function launch(parts: DeskParts, name: string, isQuick: boolean, run: Run): Under {
  const { folder, events, clock, command = ownCommand('experiment') } = parts
  const tell = (what: string, level: 'detail' | 'notice' | 'warning', message: string) =>
    events.record({
      level,
      kind: `drover.experiment.${what}`,
      message: `experiment ${name}: ${message}`,
    })
  const [program = '', ...words] = [...command, '--out', folder, ...(isQuick ? ['--quick'] : [])]
  const child = spawn(program, [...words, name], {
    env: ownEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-wordsMax)
  })
  child.on('message', (message) => {
    if (!isProgress(message) || run.state !== 'running') return
    Object.assign(run, { step: message.step, steps: message.steps, message: message.says })
    tell('progressed', 'detail', `${message.step} of ${message.steps}: ${message.says}`)
  })
  let why: string | undefined
  const end = (reason: string, mostMs: number) => {
    why ??= reason
    run.state = 'stopping'
    child.kill('SIGTERM')
    clock.after(mostMs, () => child.kill('SIGKILL'))
  }
  let isLate = false
  const cancelDeadline = clock.after(runMsMax, () => {
    isLate = true
    end('it took too long', cancelMsMax)
  })
  const ended = new Promise<void>((resolve) => {
    const finish = (state: Ending, message: string) => {
      // A program that cannot be started has an error, and then closes as well.
      if (run.endedAtMs !== null) return
      cancelDeadline()
      Object.assign(run, { state, message, endedAtMs: clock.now() })
      tell(state, state === 'failed' ? 'warning' : 'notice', message)
      resolve()
    }
    child.once('error', (error) => finish('failed', `cannot be started: ${error.message}`))
    child.once('close', (code, signal) => {
      if (why !== undefined && code !== 0) finish(isLate ? 'failed' : 'cancelled', why)
      else if (code === 0) finish('done', 'the report is ready')
      else finish('failed', lastLine(said) || `ended with ${signal ?? code}`)
    })
  })
  tell('started', 'notice', isQuick ? 'started, the quick form' : 'started')
  return { name, child, ended, end }
}

async function viewOf(
  folder: string,
  name: ExperimentName,
  run: Run | undefined,
): Promise<ExperimentView> {
  const { title, says, minutes, steps } = catalogue[name]
  const madeAtMs = await madeAt(join(folder, `${name}.html`))
  const idle = { state: 'idle', message: '', step: 0, steps, startedAtMs: null, endedAtMs: null }
  const report = madeAtMs === undefined ? null : { url: `/v1/experiments/${name}/report`, madeAtMs }
  return { name, title, says, minutes, ...(run ?? idle), report }
}

async function madeAt(file: string): Promise<number | undefined> {
  const found = await stat(file).catch(() => undefined)
  return found?.mtimeMs
}

function isProgress(message: unknown): message is ProgressMessage {
  const { step, steps, says } = (message ?? {}) as Partial<ProgressMessage>
  return Number.isInteger(step) && Number.isInteger(steps) && typeof says === 'string'
}

/** What it said last, without the lines of progress before. */
function lastLine(said: string): string {
  const line = said.trim().split('\n').at(-1) ?? ''
  return line.replace(/^drover: /, '')
}

/** Our environment without what is said to this instance alone, such as the token of its admin API. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('DROVER_')),
  )
}
