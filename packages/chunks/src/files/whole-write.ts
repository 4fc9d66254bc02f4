import { writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/*
 * A write that is cut short is how a disk says that it is nearly full: the next one fails, with ENOSPC.
 * Whatever writes to a file by itself does so by one of these three.
 */

/** Writes all of `bytes` at `position`. */
export async function writeWhole(
  file: Pick<FileHandle, 'write'>,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const rest = bytes.length - done
    const { bytesWritten } = await file.write(bytes, done, rest, position + done)
    done += some(bytesWritten)
  }
}

/** Writes all of `blocks`, one after the other, where the file stands. */
export async function writeBlocks(
  file: Pick<FileHandle, 'writev'>,
  blocks: readonly Uint8Array[],
): Promise<void> {
  let left = blocks.filter(({ length }) => length > 0)
  while (left.length > 0) {
    let bytesWritten = some((await file.writev(left)).bytesWritten)
    while (left[0] && bytesWritten >= left[0].length) {
      bytesWritten -= left[0].length
      left = left.slice(1)
    }
    if (left[0] && bytesWritten > 0) left = [left[0].subarray(bytesWritten), ...left.slice(1)]
  }
}

/** Writes all of `bytes` at `position`, or where the file stands, by blocking calls. */
export function writeWholeSync(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done
    done += some(writeSync(fd, bytes, done, bytes.length - done, at))
  }
}

/** A file system that takes nothing and says nothing would be asked for ever. */
function some(bytesWritten: number): number {
  if (bytesWritten > 0) return bytesWritten
  throw Object.assign(new Error('the disk took no bytes'), { code: 'ENOSPC', syscall: 'write' })
}
