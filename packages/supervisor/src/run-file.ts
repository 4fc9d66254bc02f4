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
  /** The note as it was first written, for a watcher that finds the file gone. */
  readonly firstNote: RunNote
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

  const noteNow = (): RunNote => ({
    instance,
    run,
    bootId: bootId(),
    supervisor,
    leaders: [...leaders.values()],
    engines: [...engines],
  })
  const write = () => {
    // Renamed into place, so that a reader never sees half of it.
    writeFileSync(`${path}.new`, JSON.stringify(noteNow()), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  const update = () => {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      write()
    } catch {
      // The folder was removed, or the disk is full: replicas are still known by their mark, and
      // it must not end the supervisor that keeps them alive.
    }
  }
  const firstNote = noteNow()
  write()
  return {
    path,
    instance,
    run,
    firstNote,
    addLeader(pid) {
      leaders.set(pid, note(pid))
      update()
    },
    removeLeader(pid) {
      if (leaders.delete(pid)) update()
    },
    addEngine(socket) {
      if (engines.has(socket)) return
      engines.add(socket)
      update()
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
