import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { fault } from '../errors.ts'
import { readBytes } from '../options.ts'

/** A file (or several, one after the other) that is read at any offset. */
export interface Source {
  readonly bytes: number
  /** Fills `target` from `at` on; returns how many bytes there were. */
  read(target: Buffer, at: number): Promise<number>
  close(): Promise<void>
}

/** A source whose bytes lie in open files. */
export interface FileSource extends Source {
  /** Tells which file holds the byte at `at`, for threads that read by themselves. */
  locate(at: number): Place
}

/** Where in an open file a byte of a source is. */
interface Place {
  readonly fd: number
  /** The offset in that file. */
  readonly at: number
  /** Where that file ends, as an offset of the source. */
  readonly end: number
}

/** Opens a file for reading; throws FILE_UNUSABLE. */
export async function openSource(path: string): Promise<FileSource> {
  let handle: FileHandle | undefined
  try {
    // Without waiting: a pipe that nobody writes to would be opened never.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('it is no regular file')
    return fileSource(handle, stats.size)
  } catch (cause) {
    await handle?.close()
    throw fault('FILE_UNUSABLE', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

function fileSource(handle: FileHandle, bytes: number): FileSource {
  return {
    bytes,
    async read(target, at) {
      let done = 0
      while (done < target.length) {
        const { bytesRead } = await handle.read(target, done, target.length - done, at + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done
    },
    locate: (at) => ({ fd: handle.fd, at, end: bytes }),
    close: () => handle.close(),
  }
}

/** A stretch of a file; good until the next one is asked for. */
export interface Segment {
  readonly at: number
  readonly bytes: Buffer
}

/** Yields the file in segments, the next one being read while this one is used. */
export async function* readSegments(
  source: Pick<Source, 'bytes' | 'read'>,
  signal?: AbortSignal,
): AsyncGenerator<Segment> {
  const size = Math.min(readBytes, Math.max(1, source.bytes))
  const [first, second] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)]
  let [ready, spare] = [first, second]
  let coming = source.read(ready, 0)
  for (let at = 0; at < source.bytes; ) {
    signal?.throwIfAborted()
    const count = await coming
    if (count === 0) throw fault('FILE_UNUSABLE', `the file became shorter: it ends at byte ${at}`)
    const bytes = ready.subarray(0, count)
    ;[ready, spare] = [spare, ready]
    const next = at + count
    coming = next < source.bytes ? source.read(ready, next) : Promise.resolve(0)
    // When the caller leaves early, nobody awaits this read; its failure must not end the process.
    coming.catch(() => {})
    yield { at, bytes }
    at = next
  }
}
