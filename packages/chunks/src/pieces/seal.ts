import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { ContentReader } from '../source/content-reader.ts'
import type { Wrap } from '../way/plan.ts'
import type { Pieces } from './piece-list.ts'
import type { SealedPieces } from './piece-store.ts'
import { putSum, sumBytes } from './sum-piece.ts'

/** Returns what is put before piece number `index`. */
export function beforeOf(wrap: Wrap, index: number): Buffer | undefined {
  return wrap.before.length > 0 && (index > 0 || wrap.beforeFirst) ? wrap.before : undefined
}

/** Returns the bytes of a piece as it is written: its own and what is put around it. */
export function contentBytes(wrap: Wrap, index: number, start: number, end: number): number {
  return (beforeOf(wrap, index)?.length ?? 0) + end - start + wrap.after.length
}

/** Works out CRC-32 and SHA-256 of pieces as they will be written; `first` numbers them. */
export async function sealPieces(
  pieces: Pieces,
  first: number,
  wrap: Wrap,
  reader: ContentReader,
): Promise<SealedPieces> {
  const { count, starts, ends } = pieces
  const sealed = { crc32: new Uint32Array(count), sha256: Buffer.alloc(count * sumBytes) }
  const isPlain = wrap.before.length === 0 && wrap.after.length === 0
  for (let index = 0; index < count; index++) {
    const [start, end] = [starts[index] as number, ends[index] as number]
    const there = isPlain ? reader.peek(start, end) : undefined
    if (there) {
      sealed.crc32[index] = crc32(there)
      putSum(there, sealed.sha256, index * sumBytes)
    } else {
      const sums = await sumOf(reader, start, end, beforeOf(wrap, first + index), wrap.after)
      sealed.crc32[index] = sums.crc
      sums.sha.copy(sealed.sha256, index * sumBytes)
    }
  }
  return { first, count, starts, ends, ...sealed }
}

async function sumOf(
  reader: ContentReader,
  start: number,
  end: number,
  before: Buffer | undefined,
  after: Buffer,
): Promise<{ crc: number; sha: Buffer }> {
  const sha = createHash('sha256')
  let crc = 0
  const add = (bytes: Buffer) => {
    crc = crc32(bytes, crc)
    sha.update(bytes)
  }
  if (before) add(before)
  for await (const block of reader.blocks(start, end)) add(block)
  if (after.length > 0) add(after)
  return { crc, sha: sha.digest() }
}
