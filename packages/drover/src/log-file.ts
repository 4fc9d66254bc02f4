import { rename, stat } from 'node:fs/promises'

/** A log of this size is put aside when an instance starts, over the one put aside before. */
const logBytesMax = 8 * 2 ** 20

/** Puts a large log aside as `FILE.1`, so that logs do not fill the disk over many starts. */
export async function rotateLog(file: string): Promise<void> {
  try {
    const { size } = await stat(file)
    if (size > logBytesMax) await rename(file, `${file}.1`)
  } catch (error) {
    // No log yet: nothing to put aside.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
