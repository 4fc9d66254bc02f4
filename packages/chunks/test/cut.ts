import { createHash } from 'node:crypto'
import type { Chunker } from '../src/chunkers/chunker.ts'
import { PieceList } from '../src/pieces/piece-list.ts'

/** Returns [start, end] of every piece, the file pushed in steps of `stepBytes`. */
export async function cut(
  chunker: Chunker,
  file: Buffer,
  stepBytes = file.length,
): Promise<[number, number][]> {
  const pieces = new PieceList(2)
  for (let at = 0; at < file.length; at += stepBytes)
    await chunker.push(file.subarray(at, at + stepBytes), pieces)
  await chunker.end(pieces)
  return rangesOf(pieces)
}

/** Returns the ends of steps through `length` bytes, as the random numbers (0 to 1) say. */
export function stepEnds(length: number, shares: readonly number[]): number[] {
  const ends = shares.map((share) => Math.floor(share * length)).sort((one, other) => one - other)
  return [...ends, length]
}

/** Returns [start, end] of every piece, the file pushed up to each of `ends` in turn. */
export async function cutInSteps(
  chunker: Chunker,
  file: Buffer,
  ends: readonly number[],
): Promise<[number, number][]> {
  const pieces = new PieceList(2)
  let at = 0
  for (const end of ends) {
    if (end > at) await chunker.push(file.subarray(at, end), pieces)
    at = end
  }
  await chunker.end(pieces)
  return rangesOf(pieces)
}

function rangesOf(pieces: PieceList): [number, number][] {
  return Array.from({ length: pieces.count }, (_, index) => [
    pieces.starts[index] as number,
    pieces.ends[index] as number,
  ])
}

/** Returns the text of every piece. */
export async function cutTexts(chunker: Chunker, text: string, stepBytes?: number) {
  const file = Buffer.from(text)
  const pieces = await cut(chunker, file, stepBytes ?? (file.length || 1))
  return pieces.map(([start, end]) => file.toString('utf8', start, end))
}

/** The 1 MiB of the FastCDC vectors: SHA-256 of the numbers 0 to 32767. */
export function vectorInput(): Buffer {
  const number = Buffer.alloc(4)
  return Buffer.concat(
    Array.from({ length: 32_768 }, (_, index) => {
      number.writeUInt32BE(index)
      return createHash('sha256').update(number).digest()
    }),
  )
}
