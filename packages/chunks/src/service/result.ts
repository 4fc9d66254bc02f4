import { join } from 'node:path'
import { type Chunked, measureOutput, type Output, writeOutput } from '../archives/write-archive.ts'
import { planSource } from '../chunk-file.ts'
import { createNamer } from '../names.ts'
import { openGroups } from '../pieces/groups.ts'
import { PieceStore } from '../pieces/piece-store.ts'
import { groupsOf, labelsOf } from '../sort-file.ts'
import { ContentReader } from '../source/content-reader.ts'
import type { ChunkRequest } from './request.ts'
import type { RequestStore } from './request-store.ts'
import { sweepYoung } from './sweep.ts'

/** What a download reads at one time: many of them may run. */
const windowBytes = 2 ** 20

/** Yields the result of a request that is done, from byte `from` on. */
export async function* readResult(
  store: RequestStore,
  request: ChunkRequest,
  output: Output,
  from: number,
): AsyncGenerator<Buffer> {
  const { chunked, close } = await openChunked(store, request)
  let skip = from
  try {
    for await (const block of writeOutput(output, chunked)) {
      if (block.length > skip) yield block.subarray(skip)
      sweepYoung(block.length)
      skip = Math.max(0, skip - block.length)
    }
  } finally {
    await close()
  }
}

/** Returns how many bytes a result has; undefined when only writing tells. */
export async function measureResult(
  store: RequestStore,
  request: ChunkRequest,
  output: Output,
): Promise<number | undefined> {
  const { chunked, close } = await openChunked(store, request)
  try {
    return await measureOutput(output, chunked)
  } finally {
    await close()
  }
}

async function openChunked(
  store: RequestStore,
  request: ChunkRequest,
): Promise<{ chunked: Chunked; close(): Promise<void> }> {
  const folder = store.folderOf(request.id)
  const source = await store.openInput(request)
  const plan = await planSource(source, request.way)
  const pieces = await PieceStore.open(join(folder, 'pieces'))
  const content = plan.isSorted ? await openGroups(folder, groupsOf(plan)) : source
  const close = async () => {
    await pieces.close()
    await source.close()
    if (content !== source) await content.close()
  }
  const nameOf = createNamer(request.name, labelsOf(plan))
  const { name, sha256, counts } = request
  const facts = {
    ...{ plan, name, nameOf },
    ...(sha256 ? { sha256 } : {}),
    ...(counts ? { counts } : {}),
  }
  return { chunked: { pieces, reader: new ContentReader(content, windowBytes), facts }, close }
}
