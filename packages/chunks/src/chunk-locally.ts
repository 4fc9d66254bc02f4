import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { planSource } from './chunk-file.ts'
import { fault } from './errors.ts'
import { namedFile } from './files/named-error.ts'
import { checkTarget, watchFile } from './files/target.ts'
import { type LocalOrder, type LocalRun, makeResult, resultPath } from './make-result.ts'
import { checkName } from './names.ts'
import type { FileSource } from './source/file-source.ts'
import { openInput } from './source/input.ts'

/** What was made. */
export interface LocalResult {
  readonly pieces: number
  readonly bytes: number
}

/**
 * Chunks a file of this machine. What is half done is removed when it fails. Throws what parsing,
 * chunking and writing may throw; see errors.ts. A disk that is full is DISK_FULL.
 */
export async function chunkLocally(order: LocalOrder, run: LocalRun): Promise<LocalResult> {
  checkName(order.name)
  if (order.output !== 'files') await checkTarget(order.target, order.file)
  const folder = order.output === 'files' ? order.target : dirname(order.target)
  const isNew = await makeFolder(folder).catch(unwritable(folder))
  if (order.output === 'files' && (await readdir(folder)).length > 0)
    throw fault('FILE_UNUSABLE', `the folder ${folder} is not empty`)
  const scratch = await mkdtemp(join(folder, '.drover-')).catch(unwritable(folder))
  let source: FileSource | undefined
  try {
    const checkUnchanged = await watchFile(order.file)
    source = await openInput(order.file, order.input, scratch, run.signal)
    const plan = await planSource(source, order.way)
    const pieces = await makeResult(order, { plan, source, scratch }, run)
    await checkUnchanged()
    if (order.output !== 'files') await rename(resultPath(scratch), order.target)
    return { pieces, bytes: source.bytes }
  } catch (error) {
    if (order.output === 'files') await empty(folder, isNew)
    throw namedFile(error)
  } finally {
    await source?.close()
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Makes a folder and those above it; returns whether it was not there. */
async function makeFolder(path: string): Promise<boolean> {
  const missing: string[] = []
  // Not by `recursive`, which never returns where a file system has no room for new folders.
  for (let folder = resolve(path); !(await isFolder(folder)); folder = dirname(folder))
    missing.push(folder)
  for (const folder of missing.toReversed()) await mkdir(folder)
  return missing.length > 0
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() === true || path === dirname(path)
}

function unwritable(folder: string) {
  return (cause: Error): never => {
    throw fault('FILE_UNUSABLE', `${folder} cannot be written: ${cause.message}`, { cause })
  }
}

/** The folder was empty before, so everything in it is ours. */
async function empty(folder: string, isNew: boolean): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true })
  if (isNew) await rm(folder, { recursive: true })
}
