import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { randomToken } from '@drover/kernel'
import { fault } from './errors.ts'

/** What an instance leaves in its data folder for the commands that look for it. */
export interface RunFile {
  readonly pid: number
  /** Tells this process from a later one of the same number; undefined where the system cannot. */
  readonly processStart: string | undefined
  /** Where the admin API is; undefined before it listens, and when it is off. */
  readonly admin?: string
  /** What the admin API wants to see; the file is for its owner only. */
  readonly token?: string
}

/** The folder of one running instance; no other can have it until `close`. */
export interface DataFolder {
  readonly path: string
  /** Signs the cookies of sticky sessions; drawn once and kept. */
  readonly stickySecret: string
  /** Tells other commands where the admin API is. */
  announce(admin: string | undefined, token: string | undefined): Promise<void>
  close(): Promise<void>
}

const runFileName = 'run.json'

/**
 * Makes the data folder (for its owner only) and takes it for this process. Throws
 * INSTANCE_RUNNING while another living process has it, or DATA_FOLDER_UNUSABLE.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const own = { pid: process.pid, processStart: await processStart(process.pid) }
  try {
    await makeFolder(path)
    await chmod(path, 0o700)
    await take(path, own)
    const stickySecret = await keptSecret(join(path, 'sticky-secret'))
    return {
      path,
      stickySecret,
      async announce(admin, token) {
        const run = { ...own, ...(admin ? { admin } : {}), ...(token ? { token } : {}) }
        const draft = join(path, `${runFileName}.${process.pid}`)
        await writeFile(draft, JSON.stringify(run), { mode: 0o600 })
        await rename(draft, join(path, runFileName))
      },
      close: () => rm(join(path, runFileName), { force: true }),
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'INSTANCE_RUNNING') throw cause
    throw fault('DATA_FOLDER_UNUSABLE', `${path}: ${message}; --data names another folder`, {
      cause,
    })
  }
}

/** Returns what the instance on the data folder `path` left there; undefined when none lives. */
export async function findInstance(path: string): Promise<RunFile | undefined> {
  const run = await readRunFile(path)
  return run && (await lives(run)) ? run : undefined
}

/** Writes the run file as a lock: only the first of several that try at once succeeds. */
async function take(path: string, own: RunFile): Promise<void> {
  const file = join(path, runFileName)
  for (let attempt = 0; attempt < 3; attempt++) {
    const before = await readRunFile(path)
    if (before && (await lives(before))) throw fault('INSTANCE_RUNNING', inUse(path, before))
    if (await exists(file)) await removeStale(file, before)
    try {
      await writeFile(file, JSON.stringify(own), { flag: 'wx', mode: 0o600 })
      return
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    }
  }
  throw fault('INSTANCE_RUNNING', `${path}: several instances start here at once`)
}

/** Moves the file aside before it is removed, so that the fresh file of somebody quicker is noticed. */
async function removeStale(file: string, stale: RunFile | undefined): Promise<void> {
  const aside = `${file}.${process.pid}.stale`
  try {
    await rename(file, aside)
  } catch {
    // Somebody quicker has moved it already; the next attempt sees who.
    return
  }
  const moved = parseRunFile(await readFile(aside, 'utf8'))
  if (moved && moved.pid !== stale?.pid && (await lives(moved))) await rename(aside, file)
  else await rm(aside, { force: true })
}

/** Says who has a data folder. */
export function inUse(path: string, { pid, admin }: RunFile): string {
  const where = admin ? ` (${admin})` : ''
  return `${path} is in use by process ${pid}${where}; stop it, or name another folder with --data`
}

async function readRunFile(path: string): Promise<RunFile | undefined> {
  try {
    return parseRunFile(await readFile(join(path, runFileName), 'utf8'))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw fault('DATA_FOLDER_UNUSABLE', `${path}: ${(cause as Error).message}`, { cause })
  }
}

/** A file that a crash left half written says nothing. */
function parseRunFile(text: string): RunFile | undefined {
  try {
    const run = JSON.parse(text) as RunFile
    return Number.isSafeInteger(run.pid) ? run : undefined
  } catch {
    return undefined
  }
}

async function lives({ pid, processStart: since }: RunFile): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = await processStart(pid)
  return since === undefined || now === undefined || since === now
}

/** The start of a process in ticks since boot, from the 22nd field of its stat file (Linux). */
async function processStart(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field, the name, may hold blanks and brackets; count from behind its end.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    // No such process, or no /proc on this system.
    return undefined
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

/** Returns the secret in `file`; draws one, for its owner only, when there is none. */
export async function keptSecret(file: string): Promise<string> {
  try {
    const kept = (await readFile(file, 'utf8')).trim()
    if (kept.length >= 16) return kept
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
  }
  const secret = randomToken()
  await writeFile(file, `${secret}\n`, { mode: 0o600 })
  return secret
}

/**
 * Makes `path` and the folders above it that are missing. Node's own way to do that tries for ever
 * where a folder exists but takes no new ones and says "not found", as /proc does.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = []
  for (let folder = path; !(await isFolder(folder)); folder = dirname(folder)) missing.push(folder)
  for (const folder of missing.reverse()) await mkdir(folder, { mode: 0o700 })
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() === true || path === dirname(path)
}
