import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Output, writeOutput } from './archives/write-archive.ts'
import { type ChunkedFile, chunkSource, cutFile, planSource, type Run } from './chunk-file.ts'
import { fault } from './errors.ts'
import { namedFile } from './files/named-error.ts'
import { sumFile } from './files/sum-file.ts'
import { checkTarget } from './files/target.ts'
import { writeFiles } from './files/write-files.ts'
import { checkName, createNamer } from './names.ts'
import { manifestName } from './pieces/manifest.ts'
import { labelsOf } from './sort-file.ts'
import { ContentReader } from './source/content-reader.ts'
import type { FileSource } from './source/file-source.ts'
import { type InputForm, openInput } from './source/input.ts'
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

/** What was made. */
export interface LocalResult {
  readonly pieces: number
  readonly bytes: number
}

/**
 * Chunks a file of this machine. What is half done is removed when it fails. Throws what parsing,
 * chunking and writing may throw; see errors.ts. A disk that is full is DISK_FULL.
 */
export async function chunkLocally(order: LocalOrder, run: LocalRun): Promise<LocalResult> {
  checkName(order.name)
  if (order.output !== 'files') await checkTarget(order.target)
  const folder = order.output === 'files' ? order.target : dirname(order.target)
  const isNew = await makeFolder(folder).catch(unwritable(folder))
  if (order.output === 'files' && (await readdir(folder)).length > 0)
    throw fault('FILE_UNUSABLE', `the folder ${folder} is not empty`)
  const scratch = await mkdtemp(join(folder, '.drover-')).catch(unwritable(folder))
  let source: FileSource | undefined
  try {
    source = await openInput(order.file, order.input, scratch, run.signal)
    return await make(order, source, scratch, run)
  } catch (error) {
    if (order.output === 'files') await empty(folder, isNew)
    throw namedFile(error)
  } finally {
    await source?.close()
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Makes a folder and those above it; returns whether it was not there. */
async function makeFolder(path: string): Promise<boolean> {
  const missing: string[] = []
  // Not by `recursive`, which never returns where a file system has no room for new folders.
  for (let folder = resolve(path); !(await isFolder(folder)); folder = dirname(folder))
    missing.push(folder)
  for (const folder of missing.toReversed()) await mkdir(folder)
  return missing.length > 0
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() === true || path === dirname(path)
}

function unwritable(folder: string) {
  return (cause: Error): never => {
    throw fault('FILE_UNUSABLE', `${folder} cannot be written: ${cause.message}`, { cause })
  }
}

/** The folder was empty before, so everything in it is ours. */
async function empty(folder: string, isNew: boolean): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true })
  if (isNew) await rm(folder, { recursive: true })
}

async function make(
  order: LocalOrder,
  source: FileSource,
  scratch: string,
  run: LocalRun,
): Promise<LocalResult> {
  const plan = await planSource(source, order.way)
  const { bytes } = source
  if (order.output === 'files' && !plan.isSorted) {
    const found = cutFile(source, plan, { ...run, advance: () => {} })
    const facts = { plan, name: order.name, nameOf: createNamer(order.name) }
    const target = { folder: order.target, sums: order.sums, content: source }
    const advance = (done: number) => run.advance(done, bytes)
    return { pieces: await writeFiles(found, facts, target, { ...run, advance }), bytes }
  }
  // The bytes are gone through twice: to find the chunks and their sums, and to write them.
  const finding = { ...run, advance: (done: number) => run.advance(done, 2 * bytes) }
  const summing = sumFile(source)
  try {
    const chunked = await chunkSource(source, plan, scratch, finding)
    try {
      const advance = (done: number) => run.advance(bytes + Math.min(bytes, done), 2 * bytes)
      const result = { ...chunked, sha256: await summing.sha256 }
      await writeChunked(order, result, scratch, { ...run, advance })
      return { pieces: chunked.store.count, bytes }
    } finally {
      await chunked.store.close()
      if (chunked.content !== source) await chunked.content.close()
    }
  } finally {
    await summing.stop()
  }
}

async function writeChunked(
  order: LocalOrder,
  chunked: ChunkedFile<FileSource> & { readonly sha256: string },
  scratch: string,
  run: Run,
): Promise<void> {
  const { plan, store, content, counts, sha256 } = chunked
  const nameOf = createNamer(order.name, labelsOf(plan))
  const facts = { plan, name: order.name, nameOf, sha256, ...(counts ? { counts } : {}) }
  if (order.output === 'files') {
    const target = { folder: order.target, sums: order.sums, content }
    await writeFiles(storedBatches(store), facts, target, run)
    return
  }
  const part = join(scratch, manifestName)
  const result = { pieces: store, reader: new ContentReader(content), facts }
  const blocks = counted(writeOutput(order.output, result), run)
  await pipeline(Readable.from(blocks), createWriteStream(part))
  await rename(part, order.target)
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

async function* storedBatches(store: ChunkedFile['store']) {
  for await (const pieces of store.batches()) yield { pieces }
}
