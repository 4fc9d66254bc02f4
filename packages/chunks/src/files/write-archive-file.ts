import { type FileHandle, open } from 'node:fs/promises'
import { formatOf, type PlacedOutput } from '../archives/format-of.ts'
import { endOutput } from '../archives/write-archive.ts'
import type { Found, Run } from '../chunk-file.ts'
import { inOrder } from '../in-order.ts'
import type { ManifestFacts } from '../pieces/manifest.ts'
import type { PieceStore } from '../pieces/piece-store.ts'
import { contentBytes } from '../pieces/seal.ts'
import type { FileSource } from '../source/file-source.ts'
import { jobOf, type Part, partsOf } from './parts.ts'
import { asBuffer } from './piece-job.ts'
import { writeWhole } from './whole-write.ts'
import { WriteThreads } from './write-threads.ts'

/** Which archive is written to which file. */
export interface ArchiveTarget {
  readonly output: PlacedOutput
  readonly path: string
  readonly content: FileSource
  /** Takes the pieces and their sums. */
  readonly store: PieceStore
  /** Of the whole file; it is asked for when all pieces are there. */
  readonly sha256: Promise<string>
  /**
   * Another thread is started for so many bytes, as it costs 30 ms of processor time to start one.
   * Default 64 MiB.
   */
  readonly threadBytes?: number
}

/**
 * Writes pieces as an archive, the same bytes as `writeOutput` yields: each is read once, by several
 * threads, and goes to the place that the sizes of those before it tell. Throws FILE_UNUSABLE, DISK_FULL.
 */
export async function writeArchiveFile(
  batches: AsyncIterable<Found>,
  facts: ManifestFacts,
  target: ArchiveTarget,
  { advance, signal }: Pick<Run, 'advance' | 'signal'>,
): Promise<void> {
  const { output, content, store, threadBytes = 64 * 2 ** 20 } = target
  const file = await open(target.path, 'wx', 0o666)
  const threads = new WriteThreads(content.bytes, threadBytes, signal)
  const write = async ({ part, at }: PlacedPart) => {
    const where = { output, target: file.fd, at } as const
    const job = { ...jobOf(part, facts, content), kind: 'entries', ...where } as const
    return { part, sums: await threads.write(job) }
  }
  let endAt = 0
  const placed = place(partsOf(batches, content), facts, output, (at) => {
    endAt = at
  })
  try {
    for await (const { part, sums } of inOrder(placed, threads.window, write)) {
      signal?.throwIfAborted()
      const { sha256, crc32 } = sums
      await store.append({ ...part, crc32, sha256: asBuffer(sha256) })
      advance(part.ends[part.count - 1] ?? 0)
    }
    const chunked = { pieces: store, facts: { ...facts, sha256: await target.sha256 } }
    await writeEnd(file, endOutput(output, chunked, endAt), endAt, signal)
  } finally {
    await threads.stop()
    await file.close()
  }
}

/** A part, and where in the archive it begins. */
interface PlacedPart {
  readonly part: Part
  readonly at: number
}

async function* place(
  parts: AsyncIterable<Part>,
  { plan, nameOf }: ManifestFacts,
  output: PlacedOutput,
  tellEnd: (at: number) => void,
): AsyncGenerator<PlacedPart> {
  const format = formatOf(output)
  let at = 0
  for await (const part of parts) {
    yield { part, at }
    for (let index = 0; index < part.count; index++) {
      const [start, end] = [part.starts[index] as number, part.ends[index] as number]
      const number = part.first + index
      const bytes = contentBytes(plan.wrap, number, start, end)
      const { before, after } = format.around({ name: nameOf(number), bytes })
      at += before + bytes + after
    }
  }
  tellEnd(at)
}

async function writeEnd(
  file: FileHandle,
  blocks: AsyncIterable<Buffer>,
  from: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let at = from
  for await (const block of blocks) {
    signal?.throwIfAborted()
    await writeWhole(file, block, at)
    at += block.length
  }
}
