import { stat } from 'node:fs/promises'
import { fault } from '../errors.ts'

/**
 * Throws FILE_UNUSABLE when something other than a file is at `target`: what is written there takes
 * the place of what was, and a device such as /dev/null would be gone for everybody.
 */
export async function checkTarget(target: string): Promise<void> {
  const found = await stat(target).catch(() => undefined)
  if (found === undefined || found.isFile()) return
  throw fault('FILE_UNUSABLE', `${target} is there and is no file; only a file is written over`)
}
