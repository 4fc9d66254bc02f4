import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Found, Run } from '../chunk-file.ts'
import { inOrder } from '../in-order.ts'
import { type ManifestFacts, ManifestWriter, manifestName } from '../pieces/manifest.ts'
import type { Pieces } from '../pieces/piece-list.ts'
import type { FileSource } from '../source/file-source.ts'
import { writeBlocks } from './whole-write.ts'
import { PieceWriter, type WriteJob } from './write-pieces.ts'
import { WriteThreads } from './write-threads.ts'

/** Where chunks go as files, and whether their sums are worked out. */
export interface FilesTarget {
  readonly folder: string
  /** Without sums there is no manifest, and `join` cannot restore the file. */
  readonly sums: boolean
  readonly content: FileSource
}

/** A job goes to a thread when it has this many bytes; a smaller file is done before a thread is up. */
const threadBytesMin = 4 * 2 ** 20
/** A job has about this many bytes, unless a single chunk has more. */
const jobBytes = 8 * 2 ** 20

/**
 * Writes each chunk to a file of its own and the manifest beside them; returns how many there are.
 * Throws FILE_UNUSABLE.
 */
export async function writeFiles(
  batches: AsyncIterable<Found>,
  facts: ManifestFacts,
  target: FilesTarget,
  { advance, signal }: Pick<Run, 'advance' | 'signal'>,
): Promise<number> {
  const manifest = new ManifestWriter(facts)
  const file = target.sums ? await open(join(target.folder, manifestName), 'w') : undefined
  const threads = new WriteThreads()
  const here = new PieceWriter()
  const write = async (part: Part) => {
    const job = jobOf(part, facts, target)
    const isLarge = facts.plan.fileBytes > threadBytesMin
    return { part, sha256: isLarge ? await threads.write(job) : here.write(job) }
  }
  const note = async (lines: string) => {
    if (file) await writeBlocks(file, [Buffer.from(lines)])
  }
  let count = 0
  try {
    await note(manifest.head())
    for await (const { part, sha256 } of inOrder(
      parts(batches, target.content),
      2 * threads.count,
      write,
    )) {
      signal?.throwIfAborted()
      count += part.count
      await note(manifest.lines({ ...part, sha256: Buffer.from(sha256) }))
      advance(part.ends[part.count - 1] ?? 0)
    }
    await note(manifest.end())
  } finally {
    await threads.stop()
    await file?.close()
  }
  return count
}

/** Pieces that follow each other; `first` is the number of the first. */
interface Part extends Pieces {
  readonly first: number
}

/** Yields copies of the pieces, in parts of about the bytes of a job. */
async function* parts(batches: AsyncIterable<Found>, content: FileSource): AsyncGenerator<Part> {
  let first = 0
  for await (const { pieces } of batches) {
    for (let from = 0; from < pieces.count; ) {
      const until = endOfPart(pieces, from, content)
      const starts = pieces.starts.slice(from, until)
      yield { first, count: until - from, starts, ends: pieces.ends.slice(from, until) }
      first += until - from
      from = until
    }
  }
}

/** Returns the number after the last piece of a part, which lies in one file. */
function endOfPart({ count, starts, ends }: Pieces, from: number, content: FileSource): number {
  const { end } = content.locate(starts[from] as number)
  let until = from + 1
  let bytes = (ends[from] as number) - (starts[from] as number)
  for (; until < count; until++) {
    bytes += (ends[until] as number) - (starts[until] as number)
    if (bytes > jobBytes || (ends[until] as number) > end) break
  }
  return until
}

function jobOf(part: Part, { plan, nameOf }: ManifestFacts, target: FilesTarget): WriteJob {
  const { first, count, starts, ends } = part
  const { before, beforeFirst, after } = plan.wrap
  const { fd, at } = target.content.locate(starts[0] ?? 0)
  const shift = (starts[0] ?? 0) - at
  return {
    fd,
    folder: target.folder,
    names: Array.from({ length: count }, (_, index) => nameOf(first + index)),
    starts: shift === 0 ? starts : starts.map((start) => start - shift),
    ends: shift === 0 ? ends : ends.map((end) => end - shift),
    before,
    after,
    isFirst: first === 0 && !beforeFirst,
    sums: target.sums,
  }
}
