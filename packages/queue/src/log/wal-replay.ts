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
 * Calls `begin` with the number of the last event before what follows, and `visit` with every batch
 * of every write-ahead file, in order, until it reports damage. A file is sealed before the next is
 * begun, so only the last that was begun may be open.
 */
export async function readWals(
  disk: Disk,
  log: Log,
  begin: (after: number) => void,
  visit: (batch: Buffer, path: string) => Damage | undefined,
): Promise<Replayed> {
  const ids = (await disk.list('.')).map(walIdOf).filter((id) => id !== undefined)
  let damage: Damage | undefined
  let open: (Damage & { readonly torn: boolean }) | undefined
  for (const id of ids) {
    const path = walPath(id)
    const end = await readWal(disk, path, begin, (batch) => {
      // What comes behind a file without an end proves that its end is lost.
      damage ??= open ?? visit(batch, path)
    })
    if (end.kind === 'damaged') damage ??= open ?? { path, position: end.position }
    if (damage) break
    if (end.kind === 'open') open ??= { path, position: end.position, torn: end.torn }
  }
  if (damage) log.error({ ...damage }, 'a write-ahead file is spoilt in the middle')
  else if (open?.torn)
    log.warn(
      { path: open.path, position: open.position },
      'the torn tail of a write-ahead file is cut off',
    )
  return { ids, damage }
}
