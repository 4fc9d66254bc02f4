import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Where snapshots lie: a folder, or the memory twin of one. */
export interface Disk {
  /** Returns a file's bytes; undefined when there is none. */
  read(name: string): Promise<Uint8Array | undefined>
  /** Writes a file whole: after a crash there is the old one or the new one, never a part. */
  replace(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void>
}

/** Returns the disk that is `directory`; it is made by the first write. */
export function createFolderDisk(directory: string): Disk {
  return {
    async read(name) {
      try {
        return await readFile(join(directory, name))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async replace(name, chunks) {
      const file = join(directory, name)
      await mkdir(dirname(file), { recursive: true })
      const handle = await open(`${file}.new`, 'w', 0o600)
      try {
        for await (const chunk of chunks) await handle.writeFile(chunk)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(`${file}.new`, file)
      const folder = await open(directory, 'r')
      await folder.sync().finally(() => folder.close())
    },
  }
}

/** A disk in memory. `tear` makes the next `replace` stop half way, as a crash does. */
export interface MemoryDisk extends Disk {
  readonly files: Map<string, Uint8Array>
  tear(): void
}

/** Returns an empty disk in memory. */
export function createMemoryDisk(): MemoryDisk {
  const files = new Map<string, Uint8Array>()
  let isTearing = false
  return {
    files,
    read: async (name) => files.get(name),
    async replace(name, chunks) {
      const written: Uint8Array[] = []
      for await (const chunk of chunks) {
        written.push(Uint8Array.from(chunk))
        if (!isTearing) continue
        isTearing = false
        throw new Error('the disk was torn away')
      }
      files.set(name, Buffer.concat(written))
    },
    tear() {
      isTearing = true
    },
  }
}
