import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Found, Run } from '../chunk-file.ts'
import { inOrder } from '../in-order.ts'
import { type ManifestFacts, ManifestWriter, manifestName } from '../pieces/manifest.ts'
import type { FileSource } from '../source/file-source.ts'
import { jobOf, type Part, partsOf } from './parts.ts'
import { asBuffer } from './piece-job.ts'
import { writeBlocks } from './whole-write.ts'
import { WriteThreads } from './write-threads.ts'

/** Where chunks go as files, and whether their sums are worked out. */
export interface FilesTarget {
  readonly folder: string
  /** Without sums there is no manifest, and `join` cannot restore the file. */
  readonly sums: boolean
  readonly content: FileSource
}

/** Another thread is started for so many bytes: making files is worth one soon. */
const threadBytes = 4 * 2 ** 20

/**
 * Writes each chunk to a file of its own and the manifest beside them; returns how many there are.
 * Throws FILE_UNUSABLE, DISK_FULL.
 */
export async function writeFiles(
  batches: AsyncIterable<Found>,
  facts: ManifestFacts,
  { folder, sums, content }: FilesTarget,
  { advance, signal }: Pick<Run, 'advance' | 'signal'>,
): Promise<number> {
  const manifest = new ManifestWriter(facts)
  const file = sums ? await open(join(folder, manifestName), 'w') : undefined
  const threads = new WriteThreads(content.bytes, threadBytes, signal)
  const write = async (part: Part) => {
    const job = { ...jobOf(part, facts, content), kind: 'files', folder, sums } as const
    return { part, sha256: (await threads.write(job)).sha256 }
  }
  const note = async (lines: string) => {
    if (file) await writeBlocks(file, [Buffer.from(lines)])
  }
  let count = 0
  try {
    await note(manifest.head())
    for await (const { part, sha256 } of inOrder(
      partsOf(batches, content),
      threads.window,
      write,
    )) {
      signal?.throwIfAborted()
      count += part.count
      if (sums) await note(manifest.lines({ ...part, sha256: asBuffer(sha256) }))
      advance(part.ends[part.count - 1] ?? 0)
    }
    await note(manifest.end())
  } finally {
    await threads.stop()
    await file?.close()
  }
  return count
}
