import type { Source } from '../source/file-source.ts'

/** Where the entries of an archive lie. */
export interface Entries {
  readonly manifest: { readonly at: number; readonly bytes: number } | undefined
  /** Of chunk i: offset at 2 · i, length after it. */
  readonly places: Float64Array
}

/** Reads up to `count` bytes at `at`. */
export async function readAt(source: Source, at: number, count: number): Promise<Buffer> {
  const bytes = Buffer.alloc(count)
  return bytes.subarray(0, await source.read(bytes, at))
}
