/** Chunks of a file that follow each other, for one thread; plain data. */
export interface PieceJob {
  /** The open file that is chunked; threads share it and read at offsets. */
  readonly fd: number
  /** What they are called; chunk i is [starts[i], ends[i]). */
  readonly names: readonly string[]
  readonly starts: Float64Array
  readonly ends: Float64Array
  /** What is put around each; `before` is not put before the first one when `isFirst`. */
  readonly before: Uint8Array
  readonly after: Uint8Array
  readonly isFirst: boolean
}

/** The sums of the chunks of a job, one after the other; empty where they were not wanted. */
export interface PieceSums {
  readonly sha256: Uint8Array<ArrayBuffer>
  readonly crc32: Uint32Array<ArrayBuffer>
}

/** What crossed a thread is no buffer any more; this is one on the same bytes. */
export function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
