import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Makes a folder for one run of `engine`, named after this process, and removes those that dead
 * processes left. Others may pass through it (an engine's workers run as somebody else), but not
 * list it; what is secret in it must be readable by its owner only.
 */
export async function openPrivateFolder(engine: string): Promise<string> {
  const prefix = `drover-${engine}-`
  await removeLeftovers(prefix)
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
  await chmod(folder, 0o711)
  return folder
}

async function removeLeftovers(prefix: string): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(name.startsWith(prefix) ? name.slice(prefix.length).split('-')[0] : 'none')
    if (!Number.isSafeInteger(pid) || pid <= 0 || lives(pid)) continue
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {
      // Somebody else's; theirs to remove.
    })
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
