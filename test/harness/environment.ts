import { readdir, readFile } from 'node:fs/promises'

/**
 * Returns the numbers of the living processes that were started with `entry` (as `TMPDIR=/tmp/x`) in
 * their environment, or by somebody who was.
 */
export async function processesWith(entry: string): Promise<number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '')
    if (environment.split('\0').includes(entry)) found.push(Number(name))
  }
  return found
}
