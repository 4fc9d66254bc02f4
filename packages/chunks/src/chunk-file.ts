import { join } from 'node:path'
import type { Clock } from '@drover/kernel'
import { fileStart } from './chunkers/chunker.ts'
import { cutParts } from './chunkers/parts.ts'
import { fault } from './errors.ts'
import type { LetterCounts } from './letters/word-scatter.ts'
import { SpooledGroups } from './pieces/groups.ts'
import { PieceList, type Pieces } from './pieces/piece-list.ts'
import { PieceStore } from './pieces/piece-store.ts'
import { sealPieces } from './pieces/seal.ts'
import { type Advance, groupsOf, sortFile } from './sort-file.ts'
import { ContentReader } from './source/content-reader.ts'
import { type FileSource, readSegments, type Segment, type Source } from './source/file-source.ts'
import { createChunker, headBytesMax, type Plan, planFor } from './way/plan.ts'
import type { Way } from './way/way.ts'

/** What a run is given beside the file and the way. */
export interface Run {
  readonly clock: Clock
  /** More pieces than this are refused (CHUNKS_TOO_MANY). */
  readonly chunksMax: number
  readonly advance: Advance
  readonly signal?: AbortSignal
}

/** Reads the start of a file and settles how it is chunked. */
export async function planSource(source: Source, way: Way): Promise<Plan> {
  const head = Buffer.alloc(Math.min(headBytesMax, source.bytes))
  await source.read(head, 0)
  return planFor(way, source.bytes, head)
}

/** Pieces that were found, and the part of the file that was read last, if any. */
export interface Found {
  readonly pieces: Pieces
  readonly segment?: Segment
}

/** Yields the pieces of a file, in batches that are good until the next one. */
export async function* cutFile(source: Source, plan: Plan, run: Run): AsyncGenerator<Found> {
  const count = (pieces: PieceList, before: number) => checkCount(before + pieces.count, run)
  const known = knownPieces(plan, run)
  if (known) {
    yield* known
    return
  }
  const chunker = createChunker(plan, fileStart, run.clock)
  const pieces = new PieceList()
  let total = 0
  let last: Segment | undefined
  try {
    for await (const segment of readSegments(source, run.signal)) {
      await chunker.push(segment.bytes, pieces)
      total = count(pieces, total)
      yield { pieces, segment }
      pieces.clear()
      run.advance(segment.at + segment.bytes.length)
      last = segment
    }
    await chunker.end(pieces)
    count(pieces, total)
    yield last ? { pieces, segment: last } : { pieces }
  } finally {
    await chunker.close?.()
  }
}

/** Throws CHUNKS_TOO_MANY, or returns the count. */
function checkCount(count: number, { chunksMax }: Run): number {
  if (count > chunksMax)
    throw fault('CHUNKS_TOO_MANY', `more than ${chunksMax} chunks; choose larger ones`)
  return count
}

/** Pieces that are told of at one time, and the bytes after which more are not waited for. */
const [knownBatch, knownBytes] = [65_536, 64 * 2 ** 20]

/** Pieces that follow from the file's size alone; undefined when the file must be read to cut it. */
function knownPieces({ way, fileBytes }: Plan, run: Run): Generator<Found> | undefined {
  if (way.by === 'bytes' && !way.linesWhole) {
    checkCount(Math.ceil(fileBytes / way.bytes), run)
    return equalPieces(way.bytes, fileBytes)
  }
  if (way.by !== 'parts' || way.lines !== 'cut') return undefined
  checkCount(way.count, run)
  const pieces = new PieceList()
  cutParts(way.count, fileBytes, pieces)
  return [{ pieces }].values() as Generator<Found>
}

function* equalPieces(bytes: number, fileBytes: number): Generator<Found> {
  const pieces = new PieceList()
  for (let at = 0; at < fileBytes; at += bytes) {
    pieces.add(at, Math.min(fileBytes, at + bytes))
    const isFull = pieces.count >= knownBatch || pieces.count * bytes >= knownBytes
    if (!isFull) continue
    yield { pieces }
    pieces.clear()
  }
  yield { pieces }
}

/** What became of a file: its pieces with their sums, and where their bytes are. */
export interface ChunkedFile<Content extends Source = Source> {
  readonly plan: Plan
  readonly store: PieceStore
  /** The file itself, or the groups that were made of it. */
  readonly content: Content
  readonly counts: readonly LetterCounts[] | undefined
}

/** Chunks a file; what must be kept goes to `folder`. The caller closes store and content. */
export async function chunkSource(
  source: FileSource,
  plan: Plan,
  folder: string,
  run: Run,
): Promise<ChunkedFile<FileSource>> {
  const store = await PieceStore.create(join(folder, 'pieces'))
  try {
    if (plan.isSorted) return await sortSource(source, plan, folder, store, run)
    const reader = new ContentReader(source)
    for await (const { pieces, segment } of cutFile(source, plan, run)) {
      if (segment) reader.show(segment)
      run.signal?.throwIfAborted()
      await store.append(await sealPieces(pieces, store.count, plan.wrap, reader))
      if (!segment) run.advance(pieces.ends[pieces.count - 1] ?? 0)
    }
    return { plan, store, content: source, counts: undefined }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function sortSource(
  source: FileSource,
  plan: Plan,
  folder: string,
  store: PieceStore,
  run: Run,
): Promise<ChunkedFile<FileSource>> {
  const { content, pieces, counts } = await dealFile(source, plan, folder, run)
  try {
    await store.append(await sealPieces(pieces, 0, plan.wrap, new ContentReader(content)))
    return { plan, store, content, counts }
  } catch (error) {
    await content.close()
    throw error
  }
}

/** What a file was dealt out to: groups, each a piece of what they are together. */
export interface Dealt extends Pick<ChunkedFile<FileSource>, 'content' | 'counts'> {
  readonly pieces: Pieces
}

/** Deals a file out to groups, which are files in `folder`. The caller closes the content. */
export async function dealFile(
  source: FileSource,
  plan: Plan,
  folder: string,
  { advance, signal }: Pick<Run, 'advance' | 'signal'>,
): Promise<Dealt> {
  const groups = new SpooledGroups(folder, groupsOf(plan))
  try {
    const counts = await sortFile(source, plan, groups, advance, signal)
    const { source: content, pieces } = await groups.finish()
    return { content, pieces, counts }
  } finally {
    await groups.close()
  }
}
