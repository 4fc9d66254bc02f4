import type { Clock, Log, Random } from '@drover/kernel'
import { clearFolder } from './clear-folder.ts'
import { createSweeper } from './leftovers.ts'
import { createPorts } from './ports.ts'
import { markVariable } from './processes.ts'
import { openRunFile, type RunFile } from './run-file.ts'
import type { Runtime } from './runtime.ts'
import { createDockerRuntime } from './runtimes/docker.ts'
import { createProcessRuntime } from './runtimes/process.ts'
import { startWatcher, type Watcher } from './watcher.ts'

/**
 * What keeps the machine clean, whatever happens to the supervisor:
 *
 *   replica ends        its process group is killed, then whatever carries its mark (sweeper)
 *   supervisor stops    all replicas end first, then the watcher goes home, then the note is removed
 *   supervisor dies     the watcher sees the pipe close, reads the note, ends what it names or marks
 *   both die at once    the next supervisor in the same folder does what the watcher would have done
 */
export interface House {
  readonly processes: Runtime
  readonly containers: Runtime
  /** Clears what earlier supervisors left, and starts the watcher. Later calls await the first. */
  open(): Promise<void>
  /** Resolves when the watcher is gone and the note removed. Nothing may run any more. */
  close(): Promise<void>
}

/** What the house is built from. */
export interface HouseParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly dataFolder: string
}

/** Returns a house that touches nothing until it is opened. */
export function createHouse({ clock, random, log, dataFolder }: HouseParts): House {
  const sweeper = createSweeper(clock)
  let opening: Promise<void> | undefined
  let runFile: RunFile | undefined
  let watcher: Watcher | undefined

  const owner = () => {
    if (!runFile) throw new TypeError('start the supervisor first')
    return runFile
  }
  const markOf = (replicaId: string) => `${owner().instance}/${owner().run}/${replicaId}`
  const ports = createPorts(random)
  const processes = createProcessRuntime({
    clock,
    ports,
    mark: (replicaId) => ({ [markVariable]: markOf(replicaId) }),
    onGroup: (pid, alive) => (alive ? runFile?.addLeader(pid) : runFile?.removeLeader(pid)),
    sweep: (replicaId) => sweeper.sweep(markOf(replicaId)),
  })
  const containers = createDockerRuntime({
    clock,
    random,
    log,
    ports,
    owner,
    onEngine: (socket) => owner().addEngine(socket),
  })

  const open = async () => {
    const own = openRunFile(dataFolder)
    try {
      await clearFolder(dataFolder, own, clock, log)
    } catch (error) {
      own.remove()
      throw error
    }
    runFile = own
    watcher = startWatcher(own, clock, log)
  }
  return {
    processes,
    containers,
    open() {
      opening ??= open().catch((error: unknown) => {
        // Whoever lives in the folder may be gone at the next try.
        opening = undefined
        throw error
      })
      return opening
    },
    async close() {
      // Whoever opened it has been told why it is not open.
      await opening?.catch(() => {})
      await watcher?.stop()
      runFile?.remove()
    },
  }
}
