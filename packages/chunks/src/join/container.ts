import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { packEndBytes } from '../archives/write-archive.ts'
import { fault } from '../errors.ts'
import { manifestName } from '../pieces/manifest.ts'
import { openSource, type Source } from '../source/file-source.ts'
import { type Entries, readAt } from './entries.ts'
import type { ManifestPiece } from './manifest-lines.ts'
import { findInTar } from './tar-entries.ts'
import { findInZip } from './zip-entries.ts'

/** A stretch of a file. */
export interface Stretch {
  readonly source: Source
  readonly at: number
  readonly bytes: number
}

/** Chunks with their manifest, whatever they are kept in. */
export interface Container {
  readonly manifest: Stretch
  /** Where a chunk's bytes are; the caller gives the stretch back to `leave`. */
  open(piece: ManifestPiece): Promise<Stretch>
  leave(stretch: Stretch): Promise<void>
  close(): Promise<void>
}

/**
 * Opens chunks: a folder or its manifest, a zip, tar, pack or NDJSON of ours. Throws FILE_UNUSABLE,
 * CHUNKS_DAMAGED, CHUNKS_INCOMPLETE.
 */
export async function openContainer(path: string): Promise<Container> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
  if (isFolder) return openFolder(path, await openSource(join(path, manifestName)))
  const source = await openSource(path)
  try {
    return await openArchive(path, source)
  } catch (error) {
    await source.close()
    throw error
  }
}

async function openArchive(path: string, source: Source): Promise<Container> {
  const head = await readAt(source, 0, 512)
  const end = await readAt(source, Math.max(0, source.bytes - packEndBytes), packEndBytes)
  const pack = /^drover-pack\/1 +(\d+)\n$/.exec(end.toString('latin1'))
  if (pack) return openPack(source, Number(pack[1]))
  if (head.toString('latin1', 257, 262) === 'ustar')
    return openEntries(source, await findInTar(source))
  if (end.includes('PK\x05\x06')) return openEntries(source, await findInZip(source))
  if (!head.toString('latin1').startsWith('{"format":"drover-chunks/1"'))
    throw fault('CHUNKS_DAMAGED', `${path} is no zip, tar, pack, NDJSON or manifest of chunks`)
  return openFolder(join(path, '..'), source)
}

function openFolder(folder: string, source: Source): Container {
  return {
    manifest: { source, at: 0, bytes: source.bytes },
    async open({ name, length, content }) {
      if (content) return { source: memorySource(content), at: 0, bytes: content.length }
      const file = await openSource(join(folder, name))
      return { source: file, at: 0, bytes: Math.max(length, file.bytes) }
    },
    leave: ({ source: file }) => file.close(),
    close: () => source.close(),
  }
}

function memorySource(content: Buffer): Source {
  return {
    bytes: content.length,
    read: async (target, at) => content.copy(target, 0, at),
    close: async () => {},
  }
}

function openPack(source: Source, manifestAt: number): Container {
  const bytes = source.bytes - packEndBytes - manifestAt
  if (!(bytes >= 0))
    throw fault('CHUNKS_DAMAGED', 'the pack says that its manifest is beyond its end')
  let next = 0
  return {
    manifest: { source, at: manifestAt, bytes },
    async open({ length }) {
      const at = next
      next += length
      return { source, at, bytes: length }
    },
    leave: async () => {},
    close: () => source.close(),
  }
}

function openEntries(source: Source, { manifest, places }: Entries): Container {
  if (!manifest) throw fault('CHUNKS_INCOMPLETE', `the archive has no ${manifestName}`)
  return {
    manifest: { source, ...manifest },
    async open({ i, name }) {
      const [at, bytes] = [places[2 * i], places[2 * i + 1]]
      if (at === undefined || bytes === undefined)
        throw fault('CHUNKS_INCOMPLETE', `the archive lacks ${name}`)
      return { source, at, bytes }
    },
    leave: async () => {},
    close: () => source.close(),
  }
}
