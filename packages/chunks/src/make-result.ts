import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type PlacedOutput, placedOutputs } from './archives/format-of.ts'
import { type Output, writeOutput } from './archives/write-archive.ts'
import { chunkSource, cutFile, dealFile, type Found, type Run } from './chunk-file.ts'
import { sumFile } from './files/sum-file.ts'
import { writeArchiveFile } from './files/write-archive-file.ts'
import { writeFiles } from './files/write-files.ts'
import { createNamer } from './names.ts'
import type { ManifestFacts } from './pieces/manifest.ts'
import { PieceStore } from './pieces/piece-store.ts'
import { labelsOf } from './sort-file.ts'
import { ContentReader } from './source/content-reader.ts'
import type { FileSource } from './source/file-source.ts'
import type { InputForm } from './source/input.ts'
import type { Plan } from './way/plan.ts'
import type { Way } from './way/way.ts'

/** What to make of a file on this machine. */
export interface LocalOrder {
  readonly file: string
  readonly way: Way
  readonly input: InputForm
  /** `files`: a file for each chunk in the folder `target`. Else `target` is the file to write. */
  readonly output: Output | 'files'
  readonly target: string
  /** The name in the manifest and before each chunk's number. */
  readonly name: string
  /** files: work out sums and write a manifest. */
  readonly sums: boolean
}

/** A run on this machine; it is told how many bytes are done, of how many in all. */
export interface LocalRun extends Omit<Run, 'advance'> {
  readonly advance: (done: number, all: number) => void
}

/** The file that is chunked, and where what is made meanwhile is kept. */
export interface Making {
  readonly plan: Plan
  readonly source: FileSource
  readonly scratch: string
}

/** Returns where a result that is one file is made; it gets its name when all is right. */
export function resultPath(scratch: string): string {
  return join(scratch, 'result')
}

/** Makes what was ordered of a file, in `resultPath` or as files; returns how many chunks there are. */
export function makeResult(order: LocalOrder, making: Making, run: LocalRun): Promise<number> {
  const { output } = order
  if (output === 'files') return makeFiles(order, making, run)
  const placed = placedOutputs.find((known) => known === output)
  return placed ? makeArchive(order, placed, making, run) : makeText(order, output, making, run)
}

async function makeFiles(order: LocalOrder, making: Making, run: LocalRun): Promise<number> {
  const { plan, source } = making
  // Files are written as they are found, and the manifest begins with the sum of the whole file.
  const sha256 = plan.isSorted && order.sums ? await wholeSum(source) : undefined
  const { found, content, facts, writing } = await findPieces(order, making, run)
  try {
    const target = { folder: order.target, sums: order.sums, content }
    return await writeFiles(found, { ...facts, ...(sha256 && { sha256 }) }, target, writing)
  } finally {
    if (content !== source) await content.close()
  }
}

async function wholeSum(source: FileSource): Promise<string> {
  const summing = sumFile(source)
  try {
    return await summing.sha256
  } finally {
    await summing.stop()
  }
}

async function makeArchive(
  order: LocalOrder,
  output: PlacedOutput,
  making: Making,
  run: LocalRun,
): Promise<number> {
  const { source, scratch } = making
  const summing = sumFile(source)
  const store = await PieceStore.create(join(scratch, 'pieces'))
  try {
    const { found, content, facts, writing } = await findPieces(order, making, run)
    try {
      const target = { output, path: resultPath(scratch), content, store, sha256: summing.sha256 }
      await writeArchiveFile(found, facts, target, writing)
      return store.count
    } finally {
      if (content !== source) await content.close()
    }
  } finally {
    await store.close()
    await summing.stop()
  }
}

/** Pieces and what is told of them; `content` is what they are pieces of. */
interface Finding {
  readonly found: AsyncIterable<Found>
  readonly content: FileSource
  readonly facts: ManifestFacts
  readonly writing: Run
}

/** Finds pieces as they are asked for; words and lines are dealt out to groups before. */
async function findPieces(
  order: LocalOrder,
  { plan, source, scratch }: Making,
  run: LocalRun,
): Promise<Finding> {
  const { bytes } = source
  const facts = { plan, name: order.name, nameOf: createNamer(order.name, labelsOf(plan)) }
  if (!plan.isSorted) {
    const found = cutFile(source, plan, { ...run, advance: () => {} })
    const advance = (done: number) => run.advance(done, bytes)
    return { found, content: source, facts, writing: { ...run, advance } }
  }
  // The bytes are gone through twice: to deal them out, and to write them.
  const dealing = { ...run, advance: (done: number) => run.advance(done, 2 * bytes) }
  const { content, pieces, counts } = await dealFile(source, plan, scratch, dealing)
  const advance = (done: number) => run.advance(bytes + Math.min(bytes, done), 2 * bytes)
  return {
    found: once({ pieces }),
    content,
    facts: { ...facts, ...(counts && { counts }) },
    writing: { ...run, advance },
  }
}

async function* once<Item>(item: Item): AsyncGenerator<Item> {
  yield item
}

/** The manifest, or the texts of the chunks: written as a stream, when all of them are found. */
async function makeText(
  order: LocalOrder,
  output: Output,
  { plan, source, scratch }: Making,
  run: LocalRun,
): Promise<number> {
  const { bytes } = source
  const finding = { ...run, advance: (done: number) => run.advance(done, 2 * bytes) }
  const summing = sumFile(source)
  try {
    const { store, content, counts } = await chunkSource(source, plan, scratch, finding)
    try {
      const nameOf = createNamer(order.name, labelsOf(plan))
      const sha256 = await summing.sha256
      const facts = { plan, name: order.name, nameOf, sha256, ...(counts && { counts }) }
      const result = { pieces: store, reader: new ContentReader(content), facts }
      const advance = (done: number) => run.advance(bytes + Math.min(bytes, done), 2 * bytes)
      const blocks = counted(writeOutput(output, result), { ...run, advance })
      await pipeline(Readable.from(blocks), createWriteStream(resultPath(scratch)))
      return store.count
    } finally {
      await store.close()
      if (content !== source) await content.close()
    }
  } finally {
    await summing.stop()
  }
}

async function* counted(blocks: AsyncIterable<Buffer>, run: Run): AsyncGenerator<Buffer> {
  let done = 0
  for await (const block of blocks) {
    run.signal?.throwIfAborted()
    yield block
    done += block.length
    run.advance(done)
  }
}
