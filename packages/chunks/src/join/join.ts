import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { fault } from '../errors.ts'
import { namedFile } from '../files/named-error.ts'
import { checkTarget } from '../files/target.ts'
import { ContentReader } from '../source/content-reader.ts'
import type { Source } from '../source/file-source.ts'
import { type Container, openContainer, type Stretch } from './container.ts'
import { dealBack } from './deal-back.ts'
import { inPlace } from './in-place.ts'
import {
  type ManifestHead,
  type ManifestPiece,
  parseLine,
  readEnd,
  readHead,
  readPiece,
} from './manifest-lines.ts'
import type { Writer } from './writer.ts'

/** What was restored. */
export interface Joined {
  readonly bytes: number
  readonly pieces: number
}

/** Told how many bytes are done, of how many in all. */
type Progress = (done: number, all: number) => void

/** The longest line of a manifest: an NDJSON result holds whole chunks. */
const lineBytesMax = 512 * 2 ** 20

/**
 * Restores a file from its chunks, and checks every sum. The file takes its name only when all is
 * right. Throws CHUNKS_DAMAGED, CHUNKS_INCOMPLETE, FILE_UNUSABLE, DISK_FULL.
 */
export async function joinChunks(
  from: string,
  target: string,
  advance: Progress,
  signal?: AbortSignal,
): Promise<Joined> {
  await checkTarget(target, from)
  const container = await openContainer(from)
  const part = `${target}.part`
  let file: FileHandle | undefined
  try {
    file = await open(part, 'w+')
    const joined = await restore(container, file, advance, signal)
    await file.close()
    file = undefined
    await rename(part, target)
    return joined
  } catch (error) {
    await file?.close()
    await rm(part, { force: true })
    throw namedFile(error)
  } finally {
    await container.close()
  }
}

async function restore(
  container: Container,
  file: FileHandle,
  advance: Progress,
  signal: AbortSignal | undefined,
): Promise<Joined> {
  const lines = manifestLines(container.manifest)
  const first = await lines.next()
  const head = readHead(parseLine(first.done ? '' : first.value))
  if (head.restores === 'no')
    throw fault(
      'CHUNKS_INCOMPLETE',
      `${head.name} was chunked in a way that does not keep all bytes`,
    )
  const writer = head.restores === 'deal' ? dealBack(head) : inPlace(head)
  try {
    const pieces = await restorePieces({ lines, head, container, writer, file, advance, signal })
    await writer.finish(file)
    signal?.throwIfAborted()
    await checkWhole(file, head)
    return { bytes: head.bytes, pieces }
  } finally {
    await writer.leave()
  }
}

interface Restoring {
  readonly lines: AsyncIterable<string>
  readonly head: ManifestHead
  readonly container: Container
  readonly writer: Writer
  readonly file: FileHandle
  readonly advance: Progress
  readonly signal: AbortSignal | undefined
}

/** Writes every piece of the manifest and checks the sums; returns how many there are. */
async function restorePieces(restoring: Restoring): Promise<number> {
  const { lines, head, container, writer, file, advance, signal } = restoring
  const sums = createHash('sha256')
  let count = 0
  for await (const text of lines) {
    signal?.throwIfAborted()
    const fields = parseLine(text)
    if (fields.end === true) {
      const end = readEnd(fields)
      if (end.pieces === count && end.sha256OfSums === sums.digest('hex')) return count
      throw fault('CHUNKS_DAMAGED', 'the sums of the manifest do not fit together')
    }
    const piece = readPiece(fields)
    if (piece.i !== count) throw fault('CHUNKS_INCOMPLETE', `the manifest lacks chunk ${count}`)
    await copyPiece(container, head, piece, (bytes, at) => writer.write(file, piece, bytes, at))
    sums.update(Buffer.from(piece.sha256, 'hex'))
    count++
    advance(Math.min(head.bytes, piece.offset + piece.length), head.bytes)
  }
  throw fault('CHUNKS_INCOMPLETE', 'the manifest does not end')
}

/** Reads a chunk, checks its sum, and passes on the bytes that are the file's own. */
async function copyPiece(
  container: Container,
  head: ManifestHead,
  piece: ManifestPiece,
  write: (bytes: Buffer, at: number) => Promise<void>,
): Promise<void> {
  const stretch = await container.open(piece)
  try {
    if (stretch.bytes !== piece.length || stretch.at + stretch.bytes > stretch.source.bytes)
      throw fault(
        'CHUNKS_DAMAGED',
        `chunk ${piece.i} (${piece.name}) has not ${piece.length} bytes`,
      )
    const before = piece.i > 0 || head.beforeFirst ? head.before : 0
    const ownEnd = piece.length - head.after
    const sha = createHash('sha256')
    let at = 0
    for await (const block of blocksOf(stretch)) {
      sha.update(block)
      const own = block.subarray(Math.max(0, before - at), Math.max(0, ownEnd - at))
      if (own.length > 0) await write(own, Math.max(0, at - before))
      at += block.length
    }
    if (sha.digest('hex') !== piece.sha256)
      throw fault('CHUNKS_DAMAGED', `chunk ${piece.i} (${piece.name}) does not fit its sum`)
  } finally {
    await container.leave(stretch)
  }
}

/** The reader of the container that is read now, so that its window serves many small chunks. */
const readers = new WeakMap<Source, ContentReader>()

function blocksOf({ source, at, bytes }: Stretch): AsyncGenerator<Buffer> {
  const reader = readers.get(source) ?? new ContentReader(source)
  readers.set(source, reader)
  return reader.blocks(at, at + bytes)
}

async function* manifestLines({ source, at, bytes }: Stretch): AsyncGenerator<string> {
  const reader = new ContentReader(source)
  let tail: Buffer = Buffer.alloc(0)
  for await (const block of reader.blocks(at, at + bytes)) {
    const joined: Buffer = Buffer.concat([tail, block])
    let start = 0
    for (let end = joined.indexOf(10); end >= 0; end = joined.indexOf(10, start)) {
      yield joined.toString('utf8', start, end)
      start = end + 1
    }
    tail = Buffer.from(joined.subarray(start))
    if (tail.length > lineBytesMax)
      throw fault('CHUNKS_DAMAGED', 'a line of the manifest is too long')
  }
}

/** Where the whole file's sum is known, the restored file must have it. */
async function checkWhole(file: FileHandle, { sha256, name }: ManifestHead): Promise<void> {
  if (sha256 === undefined) return
  const sha = createHash('sha256')
  for await (const block of file.createReadStream({ start: 0, autoClose: false })) sha.update(block)
  if (sha.digest('hex') !== sha256)
    throw fault('CHUNKS_DAMAGED', `the restored ${name} does not fit the sum of the whole file`)
}
