import { fault } from '../errors.ts'
import { manifestName } from '../pieces/manifest.ts'
import type { Source } from '../source/file-source.ts'
import { type Entries, readAt } from './entries.ts'

const blockBytes = 512

/** Finds the entries of a tar by walking over its headers. Throws CHUNKS_DAMAGED. */
export async function findInTar(source: Source): Promise<Entries> {
  const places: number[] = []
  let manifest: Entries['manifest']
  let paxBytes: number | undefined
  for (let at = 0; at + blockBytes <= source.bytes; ) {
    const header = await readAt(source, at, blockBytes)
    if (header[0] === 0) break
    const bytes = paxBytes ?? bytesOf(header, at)
    paxBytes = undefined
    const content = at + blockBytes
    if (header.toString('latin1', 156, 157) === 'x')
      paxBytes = await paxSize(source, content, bytes)
    else if (nameOf(header) === manifestName) manifest = { at: content, bytes }
    else places.push(content, bytes)
    at = content + Math.ceil(bytes / blockBytes) * blockBytes
  }
  return { manifest, places: Float64Array.from(places) }
}

function bytesOf(header: Buffer, at: number): number {
  const bytes = Number.parseInt(header.toString('latin1', 124, 135), 8)
  if (bytes >= 0 && header.toString('latin1', 257, 262) === 'ustar') return bytes
  throw fault('CHUNKS_DAMAGED', `the tar has a damaged header at byte ${at}`)
}

/** The size that a pax record gives the entry after it, where there is one. */
async function paxSize(source: Source, at: number, bytes: number): Promise<number | undefined> {
  const records = await readAt(source, at, Math.min(bytes, 64 * 1_024))
  const size = /\d+ size=(\d+)\n/.exec(records.toString())
  return size ? Number(size[1]) : undefined
}

function nameOf(header: Buffer): string {
  const end = header.indexOf(0)
  return header.toString('utf8', 0, Math.min(100, end < 0 ? 100 : end))
}
