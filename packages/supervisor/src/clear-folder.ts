import { readdirSync, rmSync } from 'node:fs'
import type { Clock, Log } from '@drover/kernel'
import { clearRun } from './clear-run.ts'
import { fault } from './errors.ts'
import { endLeftovers } from './leftovers.ts'
import type { RunFile } from './run-file.ts'
import { isAlive, readRuns } from './run-note.ts'

/**
 * Ends everything that earlier runs in the folder of `own` left. Throws FOLDER_IN_USE when one of
 * them still lives: its replicas are not ours to end.
 */
export async function clearFolder(
  folder: string,
  own: RunFile,
  clock: Clock,
  log: Log,
): Promise<void> {
  const others = readRuns(folder).filter(({ note }) => note.run !== own.run)
  const living = others.find(({ note }) => isAlive(note))
  if (living)
    throw fault(
      'FOLDER_IN_USE',
      `process ${living.note.supervisor.pid} keeps its replicas in "${folder}"`,
    )
  let ended = 0
  for (const { path, note } of others) ended += await clearRun(path, note, clock)
  // Runs whose note is lost are known by their mark alone.
  const ours = `${own.instance}/${own.run}/`
  ended += await endLeftovers(
    {
      marked: (mark) => mark.startsWith(`${own.instance}/`) && !mark.startsWith(ours),
      leaders: [],
    },
    clock,
  )
  for (const name of readdirSync(folder))
    if (name.endsWith('.json.new') && !own.path.endsWith(name.slice(0, -4)))
      rmSync(`${folder}/${name}`, { force: true })
  if (ended > 0) log.warn({ ended }, 'an earlier supervisor had left processes; they were ended')
}
