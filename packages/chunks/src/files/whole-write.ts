import type { FileHandle } from 'node:fs/promises'

/**
 * Writes all of `bytes` at `position`. A write that is cut short is how a disk says that it is nearly
 * full: the next one fails, with ENOSPC.
 */
export async function writeWhole(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const rest = bytes.length - done
    const { bytesWritten } = await file.write(bytes, done, rest, position + done)
    done += bytesWritten
  }
}

/** Writes all of `blocks`, one after the other, where the file stands. */
export async function writeBlocks(file: FileHandle, blocks: readonly Uint8Array[]): Promise<void> {
  let left = blocks.filter(({ length }) => length > 0)
  while (left.length > 0) {
    let { bytesWritten } = await file.writev(left)
    while (left[0] && bytesWritten >= left[0].length) {
      bytesWritten -= left[0].length
      left = left.slice(1)
    }
    if (left[0] && bytesWritten > 0) left = [left[0].subarray(bytesWritten), ...left.slice(1)]
  }
}
