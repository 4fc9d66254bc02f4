import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { randomToken } from '@drover/kernel'
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
interface ProcessNote {
  readonly pid: number
  readonly startTicks: number
}

/** The note of the present run, kept on disk with every change. */
export interface RunFile {
  readonly path: string
  readonly instance: string
  readonly run: string
  addLeader(pid: number): void
  removeLeader(pid: number): void
  addEngine(socket: string): void
  /** The run ended well. */
  remove(): void
}

/** Creates the folder where needed, and the file of a new run in it. Disk work is synchronous and small. */
export function openRunFile(folder: string): RunFile {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const instance = instanceOf(folder)
  const run = randomToken(9)
  const path = join(folder, `run-${run}.json`)
  const leaders = new Map<number, ProcessNote>()
  const engines = new Set<string>()
  const note = (pid: number): ProcessNote => ({ pid, startTicks: startTicksOf(pid) ?? -1 })
  const supervisor = note(process.pid)

  const write = () => {
    const text: RunNote = {
      instance,
      run,
      bootId: bootId(),
      supervisor,
      leaders: [...leaders.values()],
      engines: [...engines],
    }
    // Renamed into place, so that a reader never sees half of it.
    writeFileSync(`${path}.new`, JSON.stringify(text), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  write()
  return {
    path,
    instance,
    run,
    addLeader(pid) {
      leaders.set(pid, note(pid))
      write()
    },
    removeLeader(pid) {
      if (leaders.delete(pid)) write()
    },
    addEngine(socket) {
      if (engines.has(socket)) return
      engines.add(socket)
      write()
    },
    remove: () => rmSync(path, { force: true }),
  }
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
    const note = JSON.parse(readFileSync(path, 'utf8')) as Partial<RunNote>
    const whole =
      typeof note.instance === 'string' &&
      typeof note.run === 'string' &&
      isProcessNote(note.supervisor) &&
      Array.isArray(note.leaders) &&
      note.leaders.every(isProcessNote) &&
      Array.isArray(note.engines)
    return whole ? (note as RunNote) : undefined
  } catch {
    // Removed meanwhile by its own run, or not JSON.
    return undefined
  }
}

/** Holds while the supervisor that wrote `note` lives. */
export function isAlive({ supervisor, bootId: boot }: RunNote): boolean {
  return boot === bootId() && startTicksOf(supervisor.pid) === supervisor.startTicks
}

function isProcessNote(value: unknown): value is ProcessNote {
  const { pid, startTicks } = (value ?? {}) as Partial<ProcessNote>
  return Number.isInteger(pid) && (pid ?? 0) > 1 && Number.isInteger(startTicks)
}

/** The name of a data folder for ever; made once. */
function instanceOf(folder: string): string {
  const path = join(folder, 'instance')
  if (!existsSync(path)) {
    const mine = join(folder, `instance-${randomToken(6)}`)
    writeFileSync(mine, randomToken(9), { mode: 0o600 })
    try {
      // Fails when another run was faster; then its name holds.
      linkSync(mine, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    rmSync(mine)
  }
  return readFileSync(path, 'utf8').trim()
}
