import { join } from 'node:path'
import { type ChunkedFile, cutFile, type Run } from '../../chunk-file.ts'
import { fileStart } from '../../chunkers/chunker.ts'
import { contextBytes } from '../../chunkers/pattern.ts'
import { fault } from '../../errors.ts'
import { inOrder } from '../../in-order.ts'
import { readAt } from '../../join/entries.ts'
import { pieceBytesMax, segmentBytes } from '../../options.ts'
import { SpooledGroups } from '../../pieces/groups.ts'
import { PieceList, type Pieces } from '../../pieces/piece-list.ts'
import { PieceStore, pieceRecordBytes, type SealedPieces } from '../../pieces/piece-store.ts'
import { beforeOf, contentBytes, sealPieces } from '../../pieces/seal.ts'
import { groupsOf, sortFile } from '../../sort-file.ts'
import { ContentReader } from '../../source/content-reader.ts'
import { type FileSource, readSegments, type Source } from '../../source/file-source.ts'
import { createChunker, type Plan } from '../../way/plan.ts'
import type { Checkpoint, CheckpointKeeper } from '../checkpoint.ts'
import { sortRemotely } from './remote-letters.ts'
import type { TaskClient } from './task-client.ts'
import type { ScanAnswer } from './tasks.ts'

/** A run whose heavy parts are done by backends. */
export interface RemoteRun extends Run {
  readonly tasks: TaskClient
  readonly signal: AbortSignal
  /** Where a run that was cut off stood. */
  readonly from: Checkpoint | undefined
  readonly keeper: CheckpointKeeper
  /** Counts bytes of the result in the quota, before they are written. Throws DISK_FULL. */
  spend(bytes: number): Promise<void>
}

/**
 * Chunks a file with the help of backends:
 *
 *   letters                       stretches of the text → scatter, or letters of the list → draw
 *   tokens, sentences, markdown, regex   stretches → scan, each from where the one before says
 *   all others                    cut here: finding a line end costs less than sending the line
 *   every piece                   → seal, in batches of a segment
 */
export async function chunkRemotely(
  source: FileSource,
  plan: Plan,
  folder: string,
  run: RemoteRun,
): Promise<ChunkedFile> {
  const path = join(folder, 'pieces')
  const { from } = run
  const store = from ? await PieceStore.resume(path, from.pieces) : await PieceStore.create(path)
  try {
    if (plan.isSorted) return await sortSource(source, plan, folder, store, run)
    const found = isScanned(plan) ? scanRemotely(source, plan, run) : cutHere(source, plan, run)
    await sealAll(found, source, plan, store, run)
    return { plan, store, content: source, counts: undefined }
  } catch (error) {
    await store.close()
    throw error
  }
}

function isScanned({ way: { by } }: Plan): boolean {
  return by === 'tokens' || by === 'sentences' || by === 'markdown' || by === 'regex'
}

async function sortSource(
  source: FileSource,
  plan: Plan,
  folder: string,
  store: PieceStore,
  run: RemoteRun,
): Promise<ChunkedFile> {
  const groups = new SpooledGroups(folder, groupsOf(plan))
  try {
    const { way } = plan
    if (way.by !== 'letters') await run.spend(source.bytes)
    const counts =
      way.by === 'letters'
        ? await sortRemotely(source, way, groups, run)
        : await sortFile(source, plan, groups, run.advance, run.signal)
    const { source: content, pieces } = await groups.finish()
    await store.append(await sealPieces(pieces, 0, plan.wrap, new ContentReader(content)))
    return { plan, store, content, counts }
  } finally {
    await groups.close()
  }
}

/** Pieces that were found, and where finding them goes on after these. */
interface Found {
  readonly pieces: Pieces
  readonly resume?: { readonly resumeAt: number; readonly carry: string }
}

async function* cutHere(source: Source, plan: Plan, run: RemoteRun): AsyncGenerator<Found> {
  const { way } = plan
  const quiet = { ...run, advance: () => {} }
  if (way.by === 'parts' && way.lines !== 'cut') yield* cutFile(source, plan, quiet)
  else if (way.by === 'parts' || (way.by === 'bytes' && !way.linesWhole))
    yield* cutKnown(cutFile(source, plan, quiet), run.from?.pieces ?? 0)
  else yield* cutFrom(source, plan, run)
}

/** Leaves out the first pieces, which are there already. */
async function* cutKnown(all: AsyncIterable<Found>, skipped: number): AsyncGenerator<Found> {
  let seen = 0
  for await (const { pieces } of all) {
    const rest = new PieceList()
    rest.addAll(pieces, Math.min(pieces.count, Math.max(0, skipped - seen)))
    seen += pieces.count
    const resumeAt = pieces.ends[pieces.count - 1] ?? 0
    yield { pieces: rest, resume: { resumeAt, carry: '' } }
  }
}

/** Cuts from where the last run stood. */
async function* cutFrom(source: Source, plan: Plan, run: RemoteRun): AsyncGenerator<Found> {
  const { resumeAt: startAt = 0, carry = '', pieces: before = 0 } = run.from ?? {}
  const chunker = createChunker(plan, { ...fileStart, startAt, carry }, run.clock)
  const pieces = new PieceList()
  let total = before
  const found = () => {
    total += pieces.count
    checkCount(total, run)
    return { pieces, resume: { resumeAt: chunker.resumeAt, carry: chunker.carry ?? '' } }
  }
  try {
    for await (const { bytes } of readSegments(tailOf(source, startAt), run.signal)) {
      await chunker.push(bytes, pieces)
      yield found()
      pieces.clear()
    }
    await chunker.end(pieces)
    yield found()
  } finally {
    await chunker.close?.()
  }
}

/** The source from `startAt` on, for reading. */
function tailOf(source: Source, startAt: number): Pick<Source, 'bytes' | 'read'> {
  return {
    bytes: source.bytes - startAt,
    read: (target, at) => source.read(target, startAt + at),
  }
}

function checkCount(count: number, { chunksMax }: Run): void {
  if (count > chunksMax)
    throw fault('CHUNKS_TOO_MANY', `more than ${chunksMax} chunks; choose larger ones`)
}

/** Each stretch goes to any backend; its answer says where the next one begins. */
async function* scanRemotely(source: Source, plan: Plan, run: RemoteRun): AsyncGenerator<Found> {
  const { wrap: _, ...rest } = plan
  let stretchBytes = segmentBytes
  let { pieces: total = 0, carry = '' } = run.from ?? {}
  for (let startAt = run.from?.resumeAt ?? 0; startAt < source.bytes; ) {
    const before = plan.way.by === 'regex' ? Math.min(contextBytes, startAt) : 0
    const whole = run.tasks.pool.take(before + stretchBytes)
    const stretch = whole.subarray(0, before + stretchBytes)
    const payload = stretch.subarray(0, await source.read(stretch, startAt - before))
    const isLast = startAt - before + payload.length >= source.bytes
    const task = { kind: 'scan', plan: rest, startAt, before, carry, isLast } as const
    const answer = await run.tasks.run(task, [payload], run.signal)
    run.tasks.pool.give(whole)
    const { count, resumeAt, carry: next } = answer.head as unknown as ScanAnswer
    total += count
    checkCount(total, run)
    const pieces = toPieces(answer.payload, count)
    answer.release()
    if (count > 0) yield { pieces, resume: { resumeAt, carry: next } }
    if (isLast) return
    // A piece that does not end within a stretch is asked for again with more of the file.
    stretchBytes = count > 0 ? segmentBytes : stretchBytes * 2
    if (stretchBytes > 2 * pieceBytesMax)
      throw fault('PIECE_TOO_LARGE', `the chunk at byte ${startAt} is over ${pieceBytesMax} bytes`)
    startAt = resumeAt
    carry = next
  }
}

function toPieces(payload: Buffer, count: number): Pieces {
  const numbers = new Float64Array(2 * count)
  Buffer.from(numbers.buffer).set(payload.subarray(0, 16 * count))
  return { count, starts: numbers.subarray(0, count), ends: numbers.subarray(count) }
}

/** Some pieces that follow each other, whose bytes fit into one task; or one large piece. */
interface Batch {
  readonly first: number
  readonly pieces: PieceList
  readonly bytes: number
}

/** How many pieces there are where finding can go on. */
interface Mark {
  readonly pieces: number
  readonly resumeAt: number
  readonly carry: string
}

async function sealAll(
  found: AsyncIterable<Found>,
  source: Source,
  plan: Plan,
  store: PieceStore,
  run: RemoteRun,
): Promise<void> {
  const sealHere = createSealer(source, plan, run)
  // A piece larger than a segment is summed up here, as a stream: no backend can hold it.
  const seal = (batch: Batch) =>
    batch.bytes > segmentBytes ? sealHere(batch) : sealBatch(batch, source, plan, run)
  const marks: Mark[] = []
  const batches = batchesOf(found, plan, store.count, marks)
  for await (const sealed of inOrder(batches, run.tasks.window, seal)) {
    await run.spend(sealed.count * pieceRecordBytes)
    await store.append(sealed)
    run.advance(sealed.ends[sealed.count - 1] ?? 0)
    while (marks[1] && marks[1].pieces <= store.count) marks.shift()
    await run.keeper.keep(async () => {
      const [mark] = marks
      if (mark === undefined || mark.pieces > store.count) return undefined
      await store.sync()
      return { ...mark, doneBytes: mark.resumeAt }
    })
  }
}

/** The most pieces of one task. */
const batchPiecesMax = 65_536

/** Gathers pieces, the first of which has number `first`; notes in `marks` where finding can go on. */
async function* batchesOf(
  found: AsyncIterable<Found>,
  { wrap }: Plan,
  start: number,
  marks: Mark[],
): AsyncGenerator<Batch> {
  let batch = { first: start, pieces: new PieceList(), bytes: 0 }
  for await (const { pieces: more, resume } of found) {
    for (let index = 0; index < more.count; index++) {
      const [from, to] = [more.starts[index] as number, more.ends[index] as number]
      const number = batch.first + batch.pieces.count
      const length = contentBytes(wrap, number, from, to)
      const isFull = batch.bytes + length > segmentBytes || batch.pieces.count >= batchPiecesMax
      if (isFull && batch.pieces.count > 0) {
        yield batch
        batch = { first: number, pieces: new PieceList(), bytes: 0 }
      }
      batch.pieces.add(from, to)
      batch.bytes += length
    }
    if (resume) marks.push({ pieces: batch.first + batch.pieces.count, ...resume })
  }
  if (batch.pieces.count > 0) yield batch
}

/** Sums up large pieces in this process, one after the other, with the memory of one. */
function createSealer(source: Source, { wrap }: Plan, { signal }: RemoteRun) {
  const reader = new ContentReader(source)
  let last: Promise<unknown> = Promise.resolve()
  return ({ pieces, first }: Batch): Promise<SealedPieces> => {
    const sealed = last.then(() => {
      signal.throwIfAborted()
      return sealPieces(pieces, first, wrap, reader)
    })
    last = sealed.catch(() => {})
    return sealed
  }
}

async function sealBatch(
  { first, pieces }: Batch,
  source: Source,
  plan: Plan,
  run: RemoteRun,
): Promise<SealedPieces> {
  const { count, starts, ends } = pieces
  const parts: Buffer[] = []
  const lengths: number[] = []
  const from = starts[0] as number
  const until = ends.subarray(0, count).reduce((most, end) => Math.max(most, end), 0)
  // Pieces overlap or lie close together: one read serves them all, unless much was dropped.
  const isClose = until - from <= 2 * segmentBytes
  const { pool } = run.tasks
  const whole = isClose ? pool.take(until - from) : undefined
  const around = whole?.subarray(0, until - from)
  if (around) await source.read(around, from)
  for (let index = 0; index < count; index++) {
    const [start, end] = [starts[index] as number, ends[index] as number]
    const own =
      around?.subarray(start - from, end - from) ?? (await readAt(source, start, end - start))
    const before = beforeOf(plan.wrap, first + index)
    if (before) parts.push(before)
    parts.push(own)
    if (plan.wrap.after.length > 0) parts.push(plan.wrap.after)
    lengths.push(contentBytes(plan.wrap, first + index, start, end))
  }
  const answer = await run.tasks.run({ kind: 'seal', lengths }, parts, run.signal)
  if (whole) pool.give(whole)
  if (answer.payload.length !== 36 * count)
    throw fault('TASK_FAILED', 'a backend sealed other pieces')
  const sums = readSums(answer.payload, count)
  answer.release()
  return { first, count, starts, ends, ...sums }
}

function readSums(payload: Buffer, count: number): Pick<SealedPieces, 'crc32' | 'sha256'> {
  const sums = { crc32: new Uint32Array(count), sha256: Buffer.alloc(count * 32) }
  for (let index = 0; index < count; index++) {
    sums.crc32[index] = payload.readUInt32LE(index * 36)
    payload.copy(sums.sha256, index * 32, index * 36 + 4, index * 36 + 36)
  }
  return sums
}
