import { readdirSync, rmSync } from 'node:fs'
import type { Clock, Log } from '@drover/kernel'
import { createEngineClient } from './docker/engine-client.ts'
import { removeContainers } from './docker/leftovers.ts'
import { fault } from './errors.ts'
import { endLeftovers } from './leftovers.ts'
import { bootId } from './processes.ts'
import { isAlive, type RunFile, type RunNote, readRuns } from './run-file.ts'

/** Ends what one dead run left, and removes its note. Resolves to how many processes and containers there were. */
export async function clearRun(file: string, note: RunNote, clock: Clock): Promise<number> {
  const prefix = `${note.instance}/${note.run}/`
  const ended = await endLeftovers(
    {
      marked: (mark) => mark.startsWith(prefix),
      leaders: note.bootId === bootId() ? note.leaders : [],
    },
    clock,
  )
  const removed = await Promise.all(note.engines.map((socket) => clearEngine(socket, note, clock)))
  rmSync(file, { force: true })
  return removed.reduce((sum, count) => sum + count, ended)
}

/** An engine that does not answer keeps its containers until the next supervisor asks it for some. */
async function clearEngine(socket: string, { instance, run }: RunNote, clock: Clock) {
  const engine = createEngineClient(socket, clock)
  return removeContainers(engine, instance, (other) => other === run).catch(() => 0)
}

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
