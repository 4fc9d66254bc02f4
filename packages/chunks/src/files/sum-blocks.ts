import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'
import { shortened } from './shortened.ts'

const blockBytes = 1 * 2 ** 20

/** An open file; plain data. */
export interface OpenFile {
  readonly fd: number
  readonly bytes: number
}

/** Returns the SHA-256 of a file in hex, by blocking calls. */
export function sumBlocks({ fd, bytes }: OpenFile): string {
  const sha = createHash('sha256')
  const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, Math.max(1, bytes)))
  for (let at = 0; at < bytes; ) {
    const count = readSync(fd, block, 0, Math.min(block.length, bytes - at), at)
    if (count === 0) throw shortened(at)
    sha.update(block.subarray(0, count))
    at += count
  }
  return sha.digest('hex')
}
