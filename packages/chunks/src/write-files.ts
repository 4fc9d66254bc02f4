import { createHash, hash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Found } from './chunk-file.ts'
import { ContentReader } from './content-reader.ts'
import type { Source } from './file-source.ts'
import { type ManifestFacts, ManifestWriter, manifestName } from './manifest.ts'
import { beforeOf } from './seal.ts'
import type { Advance } from './sort-file.ts'

/** Where chunks go as files, and whether their sums are worked out. */
export interface FilesTarget {
  readonly folder: string
  /** Without sums there is no manifest, and `join` cannot restore the file. */
  readonly sums: boolean
  readonly advance: Advance
}

/**
 * Writes each chunk to a file of its own and the manifest beside them; returns how many there are. Small
 * chunks are written by blocking calls, which is what makes many of them fast: not for servers.
 */
export async function writeFiles(
  batches: AsyncIterable<Found>,
  content: Source,
  facts: ManifestFacts,
  target: FilesTarget,
): Promise<number> {
  const reader = new ContentReader(content)
  const manifest = new ManifestWriter(facts)
  const file = target.sums ? await open(join(target.folder, manifestName), 'w') : undefined
  let first = 0
  try {
    await file?.write(manifest.head())
    for await (const { pieces, segment } of batches) {
      if (segment) reader.show(segment)
      const sha256 = Buffer.alloc(target.sums ? pieces.count * 32 : 0)
      for (let index = 0; index < pieces.count; index++) {
        const range = [pieces.starts[index] as number, pieces.ends[index] as number] as const
        const sum = await writeOne(reader, facts, target, first + index, range)
        sum?.copy(sha256, index * 32)
        if (!segment) target.advance(range[1])
      }
      await file?.write(manifest.lines({ ...arraysOf(pieces), first, sha256 }))
      first += pieces.count
    }
    await file?.write(manifest.end())
  } finally {
    await file?.close()
  }
  return first
}

/** What of a list is the pieces; the list itself is a class with more to it. */
function arraysOf({ count, starts, ends }: Found['pieces']) {
  return { count, starts, ends }
}

type Range = readonly [start: number, end: number]

async function writeOne(
  reader: ContentReader,
  facts: ManifestFacts,
  { folder, sums }: FilesTarget,
  index: number,
  range: Range,
): Promise<Buffer | undefined> {
  const path = join(folder, facts.nameOf(index))
  const { wrap } = facts.plan
  const before = beforeOf(wrap, index)
  const there = before || wrap.after.length > 0 ? undefined : reader.peek(...range)
  if (!there) return writeLarge(path, blocksOf(reader, range, before, wrap.after), sums)
  const file = openSync(path, 'w')
  try {
    for (let at = 0; at < there.length; ) at += writeSync(file, there, at)
  } finally {
    closeSync(file)
  }
  return sums ? hash('sha256', there, 'buffer') : undefined
}

async function* blocksOf(
  reader: ContentReader,
  [start, end]: Range,
  before: Buffer | undefined,
  after: Buffer,
): AsyncGenerator<Buffer> {
  if (before) yield before
  yield* reader.blocks(start, end)
  if (after.length > 0) yield after
}

/** Writes while the sum is worked out: one is the system's work, the other ours. */
async function writeLarge(
  path: string,
  blocks: AsyncIterable<Buffer>,
  sums: boolean,
): Promise<Buffer | undefined> {
  const sha = sums ? createHash('sha256') : undefined
  const file = await open(path, 'w')
  try {
    for await (const block of blocks) {
      const written = file.writev([block])
      sha?.update(block)
      await written
    }
  } finally {
    await file.close()
  }
  return sha?.digest()
}
