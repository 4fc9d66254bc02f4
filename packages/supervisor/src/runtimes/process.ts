import type { ChildProcess } from 'node:child_process'
import type { Clock } from '@drover/kernel'
import { isTaken, type Ports } from '../ports.ts'
import { ProcessGroup } from '../process/group.ts'
import { startProgram } from '../process/start.ts'
import type { Ending, Instance, Runtime, SpawnOrder } from '../runtime.ts'

const host = '127.0.0.1'

/** What the process runtime needs. */
export interface ProcessParts {
  readonly clock: Clock
  readonly ports: Ports
  /** Marks all that descends from a replica, in its environment, so that it is found again. */
  readonly mark: (replicaId: string) => Record<string, string>
  /** Called with each process group that runs, and when it has ended. */
  readonly onGroup: (pid: number, alive: boolean) => void
  /** Ends what left its process group but descends from the replica. */
  readonly sweep: (replicaId: string) => Promise<void>
}

/** Returns the runtime that starts replicas as processes, each the leader of its own process group. */
export function createProcessRuntime(parts: ProcessParts): Runtime {
  const sweeps = new Set<Promise<void>>()
  const track = (sweep: Promise<void>) => {
    sweeps.add(sweep)
    void sweep.finally(() => sweeps.delete(sweep))
  }
  return {
    spawn: (order) => spawnProcess(order, parts, track),
    async settle() {
      await Promise.all(sweeps)
    },
    close() {},
  }
}

async function spawnProcess(
  order: SpawnOrder,
  parts: ProcessParts,
  track: (sweep: Promise<void>) => void,
): Promise<Instance> {
  const port = await parts.ports.take()
  let child: ChildProcess
  try {
    child = await startProgram(order, {
      host,
      port,
      mark: parts.mark(order.id),
      clock: parts.clock,
    })
  } catch (error) {
    parts.ports.release(port)
    throw error
  }
  const group = new ProcessGroup(child, parts.clock)
  parts.onGroup(group.pid, true)
  const ended = group.ended.then(async (reason): Promise<Ending> => {
    parts.onGroup(group.pid, false)
    track(parts.sweep(order.id))
    // A program finds its port taken while it starts, which on a busy machine may last.
    const portTaken = group.diedWithin(order.spec.startTimeoutMs) && (await isTaken(port))
    parts.ports.release(port)
    return { reason, portTaken }
  })
  return {
    host,
    port,
    pid: group.pid,
    container: undefined,
    ended,
    signal: (name) => group.signal(name),
    kill: () => group.kill(),
  }
}
