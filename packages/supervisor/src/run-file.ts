import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { randomToken } from '@drover/kernel'
import { bootId, startTicksOf } from './processes.ts'
import type { ProcessNote, RunNote } from './run-note.ts'

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
