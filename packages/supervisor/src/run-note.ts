import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bootId, startTicksOf } from './processes.ts'

/** What one run of a supervisor notes about itself, so that others can clean up after it. */
export interface RunNote {
  /** The same for every run in a data folder. */
  readonly instance: string
  /** New for every run. */
  readonly run: string
  readonly bootId: string
  readonly supervisor: ProcessNote
  /** The leaders of the process groups that run. */
  readonly leaders: readonly ProcessNote[]
  /** Sockets of the container engines that run something. */
  readonly engines: readonly string[]
}

/** A process, named by its pid and by when it started. */
export interface ProcessNote {
  readonly pid: number
  readonly startTicks: number
}

/** Returns the notes of the runs in `folder`, with their files. Files that are no note are passed over. */
export function readRuns(folder: string): { readonly path: string; readonly note: RunNote }[] {
  return readdirSync(folder)
    .filter((name) => /^run-[\w-]+\.json$/.test(name))
    .flatMap((name) => {
      const path = join(folder, name)
      const note = readRun(path)
      return note ? [{ path, note }] : []
    })
}

/** Returns the note in the file `path`; undefined when it is gone or no note. */
export function readRun(path: string): RunNote | undefined {
  try {
    return parseRun(readFileSync(path, 'utf8'))
  } catch {
    // Removed meanwhile by its own run.
    return undefined
  }
}

/** Returns the note that `text` is; undefined when it is none. */
export function parseRun(text: string): RunNote | undefined {
  try {
    const note = JSON.parse(text) as Partial<RunNote>
    const whole =
      typeof note.instance === 'string' &&
      typeof note.run === 'string' &&
      isProcessNote(note.supervisor, 1) &&
      Array.isArray(note.leaders) &&
      // Never 0 or 1: as a group these would be everybody.
      note.leaders.every((leader) => isProcessNote(leader, 2)) &&
      Array.isArray(note.engines)
    return whole ? (note as RunNote) : undefined
  } catch {
    // Not JSON.
    return undefined
  }
}

/** Holds while the supervisor that wrote `note` lives. */
export function isAlive({ supervisor, bootId: boot }: RunNote): boolean {
  return boot === bootId() && startTicksOf(supervisor.pid) === supervisor.startTicks
}

function isProcessNote(value: unknown, least: number): value is ProcessNote {
  const { pid, startTicks } = (value ?? {}) as Partial<ProcessNote>
  return Number.isInteger(pid) && (pid ?? 0) >= least && Number.isInteger(startTicks)
}
