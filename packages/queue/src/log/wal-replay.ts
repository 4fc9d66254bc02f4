import type { Log } from '@drover/kernel'
import type { Disk } from './disk.ts'
import type { Damage } from './segment.ts'
import { readWal, walIdOf, walPath } from './wal-file.ts'

/** What the write-ahead files held. */
interface Replayed {
  /** The numbers of all files, in order. */
  readonly ids: readonly number[]
  /** Where the reading had to stop, when something in the middle is spoilt. */
  readonly damage: Damage | undefined
}

/**
 * Calls `begin` with the number of the last event before each file, and `visit` with every batch of every write-ahead file, in order, until it reports damage. A file
 * is synced to its end before the next is begun, so only the last may be torn.
 */
export async function readWals(
  disk: Disk,
  log: Log,
  begin: (after: number) => void,
  visit: (batch: Buffer, path: string) => Damage | undefined,
): Promise<Replayed> {
  const ids = (await disk.list('.')).map(walIdOf).filter((id) => id !== undefined)
  let torn: Damage | undefined
  let damage: Damage | undefined
  for (const id of ids) {
    const path = walPath(id)
    const end = await readWal(disk, path, begin, (batch) => {
      damage ??= visit(batch, path)
    })
    const last = id === ids.at(-1)
    if (end.kind === 'torn' && last) torn = { path, position: end.position }
    else if (end.kind !== 'whole') damage ??= { path, position: end.position }
    if (damage) break
  }
  if (damage) log.error({ ...damage }, 'a write-ahead file is spoilt in the middle')
  else if (torn) log.warn({ ...torn }, 'the torn tail of a write-ahead file is cut off')
  return { ids, damage }
}
