import { rmSync } from 'node:fs'
import { endLeftovers, type Timing } from './leftovers.ts'
import { bootId } from './processes.ts'
import type { RunNote } from './run-note.ts'

/**
 * Ends what one dead run left, and removes its note. Resolves to how many processes and containers
 * there were. An engine that does not answer keeps its containers until a supervisor asks it for some.
 */
export async function clearRun(file: string, note: RunNote, timing: Timing): Promise<number> {
  const prefix = `${note.instance}/${note.run}/`
  const counts = await Promise.all([
    endLeftovers(
      {
        marked: (mark) => mark.startsWith(prefix),
        leaders: note.bootId === bootId() ? note.leaders : [],
      },
      timing,
    ),
    ...note.engines.map((socket) => clearEngine(socket, note)),
  ])
  rmSync(file, { force: true })
  return counts.reduce((sum, count) => sum + count, 0)
}

async function clearEngine(socket: string, { instance, run }: RunNote): Promise<number> {
  // Loaded only now: the reaper must not wait for what it seldom needs.
  const { removeContainersOfRun } = await import('./docker/leftovers.ts')
  return removeContainersOfRun(socket, instance, run).catch(() => 0)
}
