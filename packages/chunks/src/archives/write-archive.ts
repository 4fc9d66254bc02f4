import { isUtf8 } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { fault } from '../errors.ts'
import { pieceBytesMax as textBytesMax } from '../options.ts'
import { type ManifestFacts, ManifestWriter, manifestName } from '../pieces/manifest.ts'
import type { PieceStore, SealedPieces } from '../pieces/piece-store.ts'
import { beforeOf, contentBytes } from '../pieces/seal.ts'
import type { ContentReader } from '../source/content-reader.ts'
import { Blocks } from './blocks.ts'
import type { ArchiveFormat, Entry } from './format.ts'
import { formatOf, type PlacedOutput } from './format-of.ts'

/** A file's pieces with their sums, and where their bytes are. */
export interface Chunked {
  readonly pieces: Pick<PieceStore, 'batches'>
  readonly reader: ContentReader
  readonly facts: ManifestFacts
  /** Only the size is wanted: the bytes of the pieces are counted, not read. */
  readonly isMeasured?: boolean
}

export const outputs = ['zip', 'tar', 'pack', 'ndjson', 'manifest', 'text'] as const

/** What a result is written as. */
export type Output = (typeof outputs)[number]

/** Yields a result, the same bytes each time. Memory is that of a few blocks, whatever the size. */
export function writeOutput(output: Output, chunked: Chunked): AsyncGenerator<Buffer> {
  return write(output, chunked, new Blocks())
}

function write(output: Output, chunked: Chunked, out: Blocks): AsyncGenerator<Buffer> {
  if (output === 'zip' || output === 'tar' || output === 'pack')
    return writePlaced(output, chunked, out)
  if (output === 'text') return writeContents(chunked, out)
  return output === 'ndjson' ? writeTexts(chunked, out) : writeManifest(chunked)
}

/**
 * Returns how many bytes `writeOutput` will yield, without reading the file; undefined for NDJSON,
 * whose size depends on the text.
 */
export async function measureOutput(output: Output, chunked: Chunked): Promise<number | undefined> {
  if (output === 'ndjson') return undefined
  const out = new Blocks()
  let bytes = 0
  for await (const block of write(output, { ...chunked, isMeasured: true }, out))
    bytes += block.length
  return output === 'manifest' ? bytes : out.total
}

/** Each chunk as an entry, then the end. */
async function* writePlaced(
  output: PlacedOutput,
  chunked: Chunked,
  out: Blocks,
): AsyncGenerator<Buffer> {
  const { pieces, facts } = chunked
  const format = formatOf(output)
  for await (const batch of pieces.batches()) {
    for (let index = 0; index < batch.count; index++) {
      const entry = entryOf(facts, batch, index)
      format.begin(entry, out)
      yield* content(chunked, batch, index, out)
      format.finish(entry, out)
    }
    yield* out.full()
  }
  yield* output === 'pack' ? endPack(chunked, out) : endArchive(format, chunked, out)
}

/** What the end of an output is made of. */
type Ended = Pick<Chunked, 'pieces' | 'facts' | 'isMeasured'>

/** Yields what stands after the entries of an output, which have `bytes` with what is around them. */
export function endOutput(
  output: PlacedOutput,
  chunked: Ended,
  bytes: number,
): AsyncGenerator<Buffer> {
  const out = new Blocks()
  out.pass(bytes)
  return output === 'pack' ? endPack(chunked, out) : endArchive(formatOf(output), chunked, out)
}

/** The manifest as the last entry, and the archive's directory. */
async function* endArchive(
  format: ArchiveFormat,
  chunked: Ended,
  out: Blocks,
): AsyncGenerator<Buffer> {
  const { entry, lines } = await measureManifest(chunked)
  format.begin(entry, out)
  if (chunked.isMeasured) out.pass(entry.bytes)
  else
    for await (const block of lines ?? writeManifest(chunked)) {
      out.add(block)
      yield* out.full()
    }
  format.finish(entry, out)
  yield* format.end(entriesAgain(chunked, entry), out)
}

function entryOf({ plan, nameOf }: ManifestFacts, batch: SealedPieces, index: number): Entry {
  const number = batch.first + index
  const [start, end] = [batch.starts[index] as number, batch.ends[index] as number]
  return {
    name: nameOf(number),
    bytes: contentBytes(plan.wrap, number, start, end),
    crc32: batch.crc32[index] as number,
  }
}

async function* entriesAgain({ pieces, facts }: Ended, last: Entry) {
  for await (const batch of pieces.batches())
    yield Array.from({ length: batch.count }, (_, index) => entryOf(facts, batch, index))
  yield [last]
}

/** Adds the bytes of one piece to `out`; yields blocks as they fill. */
function content(
  chunked: Chunked,
  batch: SealedPieces,
  index: number,
  out: Blocks,
): Iterable<Buffer> | AsyncGenerator<Buffer> {
  const [start, end] = [batch.starts[index] as number, batch.ends[index] as number]
  const { wrap } = chunked.facts.plan
  if (chunked.isMeasured) {
    out.pass(contentBytes(wrap, batch.first + index, start, end))
    return out.full()
  }
  const before = beforeOf(wrap, batch.first + index)
  const there = chunked.reader.peek(start, end)
  if (!there) return contentFromDisk(chunked, [start, end], before, out)
  if (before) out.add(before)
  out.add(there)
  if (wrap.after.length > 0) out.add(wrap.after)
  return out.full()
}

async function* contentFromDisk(
  { reader, facts }: Chunked,
  [start, end]: readonly [number, number],
  before: Buffer | undefined,
  out: Blocks,
): AsyncGenerator<Buffer> {
  if (before) out.add(before)
  for await (const block of reader.blocks(start, end)) {
    out.add(block)
    yield* out.full()
  }
  out.add(facts.plan.wrap.after)
}

/** A manifest up to so many bytes is kept from measuring it; a larger one is made twice. */
const keptBytes = 8 * 2 ** 20

/** The manifest's size and sum, found by writing it; and its lines, when they are not many. */
async function measureManifest(
  chunked: Ended,
): Promise<{ entry: Entry; lines: readonly Buffer[] | undefined }> {
  let [bytes, sum] = [0, 0]
  let lines: Buffer[] | undefined = []
  for await (const block of writeManifest(chunked)) {
    bytes += block.length
    sum = crc32(block, sum)
    lines = bytes > keptBytes ? undefined : lines
    lines?.push(block)
  }
  return { entry: { name: manifestName, bytes, crc32: sum }, lines }
}

async function* writeManifest({ pieces, facts }: Ended): AsyncGenerator<Buffer> {
  const manifest = new ManifestWriter(facts)
  yield Buffer.from(manifest.head())
  for await (const batch of pieces.batches()) yield Buffer.from(manifest.lines(batch))
  yield Buffer.from(manifest.end())
}

/** Bytes of the line that ends a pack. */
export const packEndBytes = 32

/** The bytes of the chunks alone, one after the other; a newline between two. */
async function* writeContents(chunked: Chunked, out: Blocks): AsyncGenerator<Buffer> {
  const newline = Buffer.from('\n')
  for await (const batch of chunked.pieces.batches())
    for (let index = 0; index < batch.count; index++) {
      if (batch.first + index > 0) out.add(newline)
      yield* content(chunked, batch, index, out)
    }
  yield* out.all()
}

/** The manifest, and a line that says where it begins. */
async function* endPack(chunked: Ended, out: Blocks): AsyncGenerator<Buffer> {
  const manifestAt = out.total
  for await (const block of writeManifest(chunked)) {
    out.add(block)
    yield* out.full()
  }
  out.add(Buffer.from(`drover-pack/1 ${String(manifestAt).padStart(17, ' ')}\n`))
  yield* out.all()
}

/** The manifest with the text of each chunk in its line; bytes that are no UTF-8 as base64. */
async function* writeTexts(
  { pieces, reader, facts }: Chunked,
  out: Blocks,
): AsyncGenerator<Buffer> {
  const manifest = new ManifestWriter(facts)
  out.add(Buffer.from(manifest.head()))
  for await (const batch of pieces.batches()) {
    for (let index = 0; index < batch.count; index++) {
      const text = await textOf(reader, facts, batch, index)
      out.add(Buffer.from(manifest.lines(onePiece(batch, index), () => text)))
      yield* out.full()
    }
  }
  out.add(Buffer.from(manifest.end()))
  yield* out.all()
}

function onePiece(batch: SealedPieces, index: number): SealedPieces {
  return {
    first: batch.first + index,
    count: 1,
    starts: batch.starts.subarray(index),
    ends: batch.ends.subarray(index),
    crc32: batch.crc32.subarray(index),
    sha256: batch.sha256.subarray(index * 32),
  }
}

async function textOf(
  reader: ContentReader,
  { plan }: ManifestFacts,
  batch: SealedPieces,
  index: number,
): Promise<{ text: string } | { base64: string }> {
  const [start, end] = [batch.starts[index] as number, batch.ends[index] as number]
  if (end - start > textBytesMax)
    throw fault(
      'PIECE_TOO_LARGE',
      `chunk ${batch.first + index} is over 64 MiB: too large for NDJSON`,
    )
  const parts = [beforeOf(plan.wrap, batch.first + index) ?? Buffer.alloc(0)]
  for await (const block of reader.blocks(start, end)) parts.push(Buffer.from(block))
  const bytes = Buffer.concat([...parts, plan.wrap.after])
  return isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') }
}
