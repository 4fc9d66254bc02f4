import { fault } from '../errors.ts'

/** Names what a full disk says: DISK_FULL. */
export function namedDisk(error: unknown): unknown {
  const { code = '' } = (error ?? {}) as { code?: string }
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? fault('DISK_FULL', 'the disk is full', { cause: error })
    : error
}

/** Names what the system says of a file: DISK_FULL or FILE_UNUSABLE. Other errors stay as they are. */
export function namedFile(error: unknown): unknown {
  const named = namedDisk(error)
  const { syscall } = (error ?? {}) as { syscall?: string }
  if (named !== error || syscall === undefined) return named
  return fault('FILE_UNUSABLE', (error as Error).message, { cause: error })
}
