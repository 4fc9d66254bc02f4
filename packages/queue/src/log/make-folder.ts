import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fault } from '../errors.ts'

/**
 * Makes a folder with its parents. Throws DISK_FAILED. Not `mkdir` with `recursive`: Node's never
 * ends below /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    const missing: string[] = []
    for (let at = path; !(await isFolder(at)); at = dirname(at)) missing.push(at)
    for (const folder of missing.reverse()) await mkdir(folder).catch(unlessThere)
  } catch (cause) {
    throw fault('DISK_FAILED', `the folder ${path} cannot be made`, { cause })
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() === true || path === dirname(path)
}

/** Somebody else may make it at the same time. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
