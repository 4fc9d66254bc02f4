import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'

const waitMs = 5_000
const pollMs = 50

/**
 * Takes the folder for this process; resolves to what gives it back. One left by a process that is
 * gone is taken over. Throws FOLDER_IN_USE when the other one lives on for 5 s.
 */
export async function lockFolder(folder: string, clock: Clock): Promise<() => Promise<void>> {
  const path = join(folder, 'lock')
  const endsAt = clock.monotonic() + waitMs
  for (;;) {
    if (await tryLock(path)) return () => rm(path, { force: true })
    const pid = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10)
    if (!isAlive(pid)) await rm(path, { force: true })
    else if (clock.monotonic() > endsAt)
      throw fault('FOLDER_IN_USE', `${folder} is used by the process ${pid}`)
    else await clock.sleep(pollMs)
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(String(process.pid))
    await file.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A pid may have been given to another program since; then the wait ends in a fault that names it. */
function isAlive(pid: number): boolean {
  if (!(pid > 0) || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
