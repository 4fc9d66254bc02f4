/**
 * The only way to the disk, so that a twin in memory can lose power and fail on demand. Paths are
 * relative to the disk's root. Errors carry the system's code (EIO, ENOSPC, ENOENT).
 */
export interface Disk {
  /** Opens an existing file for reading and writing. */
  open(path: string): Promise<DiskFile>
  /** Makes a file, or empties the one that is there. Lasts over a power cut only after `syncFolder`. */
  create(path: string): Promise<DiskFile>
  /** The names in a folder; none when there is no such folder. */
  list(folder: string): Promise<string[]>
  /** Makes a folder with its parents; one that is there is left alone. */
  makeFolder(path: string): Promise<void>
  /** Replaces `to` at once: after a power cut there is the old file or the new one. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>
  /** Removes a folder with the files in it. */
  removeFolder(path: string): Promise<void>
  /** Makes the names in a folder last: creations, renames and removals up to now. */
  syncFolder(path: string): Promise<void>
  usage(): Promise<DiskUsage>
}

export interface DiskFile {
  /** Fills `target` from `position` on; returns fewer bytes only where the file ends. */
  read(target: Uint8Array, position: number): Promise<number>
  /** Writes all of `parts` one after the other, or throws; some of it may then be there. */
  write(parts: readonly Uint8Array[], position: number): Promise<void>
  /** Resolves when all written so far would survive a power cut. Never call it again after an error. */
  sync(): Promise<void>
  truncate(bytes: number): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

export interface DiskUsage {
  readonly freeBytes: number
  readonly totalBytes: number
}
