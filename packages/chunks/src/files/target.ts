import { stat } from 'node:fs/promises'
import { fault } from '../errors.ts'

/**
 * Throws FILE_UNUSABLE when something other than a file is at `target`: what is written there takes
 * the place of what was, and a device such as /dev/null would be gone for everybody. So it does when
 * `target` is `source`, which is read meanwhile: nothing would be left of it.
 */
export async function checkTarget(target: string, source: string): Promise<void> {
  const [found, read] = await Promise.all([target, source].map(look))
  if (found === undefined) return
  if (!found.isFile())
    throw fault('FILE_UNUSABLE', `${target} is there and is no file; only a file is written over`)
  if (found.dev === read?.dev && found.ino === read.ino)
    throw fault('FILE_UNUSABLE', `${target} is what is read; write to another file`)
}

function look(path: string) {
  return stat(path, { bigint: true }).catch(() => undefined)
}

/**
 * Begins to watch a file; the function that it returns throws FILE_UNUSABLE when the file was written
 * over since, or became shorter. One that grew at its end, as a log does, is not complained of.
 */
export async function watchFile(path: string): Promise<() => Promise<void>> {
  const before = await look(path)
  return async () => {
    const after = await look(path)
    // Another file of that name leaves the one that is read as it was.
    if (!before || after?.ino !== before.ino || after.mtimeNs === before.mtimeNs) return
    if (after.size <= before.size)
      throw fault('FILE_UNUSABLE', `${path} changed while it was read; what was made is of neither`)
  }
}
