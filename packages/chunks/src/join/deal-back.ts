import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fault } from '../errors.ts'
import { writeBlocks, writeWhole } from '../files/whole-write.ts'
import { openSource, readSegments, type Segment } from '../source/file-source.ts'
import type { ManifestHead } from './manifest-lines.ts'
import type { Writer } from './writer.ts'

/** Puts lines that were dealt out to parts in turn back into their order. */
export function dealBack({ bytes: wanted, separator }: ManifestHead): Writer {
  const parts: string[] = []
  let folder: string | undefined
  return {
    async write(_file, piece, bytes) {
      folder ??= await mkdtemp(join(tmpdir(), 'drover-join-'))
      const path = join(folder, String(piece.i))
      parts[piece.i] = path
      const part = await open(path, 'a')
      try {
        await writeBlocks(part, [bytes])
      } finally {
        await part.close()
      }
    },
    async finish(file) {
      let at = 0
      for await (const lines of linesInTurn(parts.filter(Boolean), separator)) {
        await writeWhole(file, lines, at)
        at += lines.length
      }
      if (at !== wanted) throw fault('CHUNKS_INCOMPLETE', `the parts hold ${at} of ${wanted} bytes`)
    },
    async leave() {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Lines are written when there are this many bytes of them. */
const blockBytes = 1 * 2 ** 20

/** Yields rounds, many at one time: the next line of each part, in the order of the parts. */
async function* linesInTurn(paths: readonly string[], separator: number): AsyncGenerator<Buffer> {
  const readers = paths.map((path) => linesOf(path, separator))
  try {
    let lines: Buffer[] = []
    let bytes = 0
    for (let isLeft = readers.length > 0; isLeft; ) {
      for (const reader of readers) {
        const { value } = await reader.next()
        isLeft = value !== undefined
        if (!value) break
        lines.push(value)
        bytes += value.length
      }
      if (bytes < blockBytes && isLeft) continue
      yield Buffer.concat(lines)
      lines = []
      bytes = 0
    }
  } finally {
    for (const reader of readers) await reader.return(undefined)
  }
}

async function* linesOf(path: string, separator: number): AsyncGenerator<Buffer> {
  const source = await openSource(path)
  let tail: Buffer = Buffer.alloc(0)
  try {
    for await (const { bytes } of readSegments(source) as AsyncGenerator<Segment>) {
      const joined: Buffer = Buffer.concat([tail, bytes])
      let start = 0
      for (let end = joined.indexOf(separator); end >= 0; end = joined.indexOf(separator, start)) {
        yield Buffer.from(joined.subarray(start, end + 1))
        start = end + 1
      }
      tail = Buffer.from(joined.subarray(start))
    }
    if (tail.length > 0) yield tail
  } finally {
    await source.close()
  }
}
