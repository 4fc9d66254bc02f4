import { close, fdatasync, fstat, ftruncate, open, read, writev } from 'node:fs'
import { mkdir, open as openFile, readdir, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Disk, DiskFile } from './disk.ts'

/** The most parts that one writev takes (IOV_MAX of Linux and macOS). */
const partsMax = 1_024

const openFd = promisify(open)
const closeFd = promisify(close)
const syncFd = promisify(fdatasync)
const statFd = promisify(fstat)
const truncateFd = promisify(ftruncate)

/** Returns the disk whose root is the folder `root`, which must be there. */
export function createNodeDisk(root: string): Disk {
  const at = (path: string) => join(root, path)
  return {
    open: async (path) => new NodeFile(await openFd(at(path), 'r+')),
    create: async (path) => new NodeFile(await openFd(at(path), 'w+')),
    async list(folder) {
      try {
        return (await readdir(at(folder))).sort()
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw error
      }
    },
    async makeFolder(path) {
      await mkdir(at(path), { recursive: true })
    },
    rename: (from, to) => rename(at(from), at(to)),
    remove: (path) => rm(at(path), { force: true }),
    removeFolder: (path) => rm(at(path), { force: true, recursive: true }),
    async syncFolder(path) {
      const folder = await openFile(at(path), 'r')
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
    },
    async usage() {
      const { bavail, blocks, bsize } = await statfs(root)
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
    },
  }
}

/** Plain descriptors: at thousands of calls a second a FileHandle costs twice as much. */
class NodeFile implements DiskFile {
  readonly #fd: number
  #closed: Promise<void> | undefined

  constructor(fd: number) {
    this.#fd = fd
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let filled = 0
    while (filled < target.length) {
      const count = await readSome(this.#fd, target, filled, position + filled)
      if (count === 0) break
      filled += count
    }
    return filled
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<void> {
    let rest = parts
    let at = position
    while (rest.length > 0) {
      const some = rest.slice(0, partsMax)
      const written = await writeSome(this.#fd, some, at)
      at += written
      rest = partsAfter(rest, written)
    }
  }

  sync(): Promise<void> {
    return syncFd(this.#fd)
  }

  async truncate(bytes: number): Promise<void> {
    await truncateFd(this.#fd, bytes)
  }

  async size(): Promise<number> {
    return (await statFd(this.#fd)).size
  }

  /** Once only, however often it is called: the number may be another file's by then. */
  close(): Promise<void> {
    this.#closed ??= closeFd(this.#fd)
    return this.#closed
  }
}

function readSome(fd: number, target: Uint8Array, from: number, position: number) {
  return new Promise<number>((resolve, reject) => {
    read(fd, target, from, target.length - from, position, (error, count) =>
      error ? reject(error) : resolve(count),
    )
  })
}

function writeSome(fd: number, parts: readonly Uint8Array[], position: number) {
  return new Promise<number>((resolve, reject) => {
    writev(fd, parts as Uint8Array[], position, (error, count) =>
      error ? reject(error) : resolve(count),
    )
  })
}

/** What remains of `parts` when their first `written` bytes are done: a write may be short. */
function partsAfter(parts: readonly Uint8Array[], written: number): Uint8Array[] {
  let left = written
  for (const [index, part] of parts.entries()) {
    if (left < part.length) return [part.subarray(left), ...parts.slice(index + 1)]
    left -= part.length
  }
  return []
}
