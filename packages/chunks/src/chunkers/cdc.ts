import type { CdcOptions } from '../cdc/gear.ts'
import { createWasmFinder } from '../cdc/wasm-core.ts'
import { segmentBytes } from '../options.ts'
import type { PieceList } from '../pieces/piece-list.ts'
import type { Chunker } from './chunker.ts'

/** The algorithm and its version, as every manifest names it: cuts depend on it. */
export const cdcAlgorithm = 'fastcdc-2020/1'

/**
 * Cuts by content, so that the same bytes give the same pieces after something was inserted before
 * them. FastCDC (Wen Xia and others, "The Design of Fast Content-Defined Chunking", 2020), with two
 * bytes a step and normalisation `level`; bit-exact with the Rust crate and Bazel's test vectors.
 */
export class CdcChunker implements Chunker {
  resumeAt: number
  readonly #maxBytes: number
  readonly #finder: ReturnType<typeof createWasmFinder>
  /** Bytes in the core's memory; the first is at `resumeAt` of the file. */
  #filled = 0

  constructor(options: CdcOptions, startAt = 0) {
    this.#maxBytes = options.maxBytes
    this.#finder = createWasmFinder(options, options.maxBytes + segmentBytes)
    this.resumeAt = startAt
  }

  push(bytes: Buffer, pieces: PieceList): void {
    const { length: capacity } = this.#finder.bytes
    for (let from = 0; from < bytes.length; ) {
      const count = Math.min(bytes.length - from, capacity - this.#filled)
      this.#finder.bytes.set(bytes.subarray(from, from + count), this.#filled)
      this.#filled += count
      from += count
      this.#cut(this.#maxBytes, pieces)
    }
  }

  end(pieces: PieceList): void {
    this.#cut(1, pieces)
  }

  /** Cuts while at least `leastBytes` are there: less could end elsewhere when more bytes come. */
  #cut(leastBytes: number, pieces: PieceList): void {
    let start = 0
    while (this.#filled - start >= leastBytes) {
      const end = this.#finder.find(start, this.#filled)
      pieces.add(this.resumeAt, this.resumeAt + end - start)
      this.resumeAt += end - start
      start = end
    }
    this.#finder.bytes.copyWithin(0, start, this.#filled)
    this.#filled -= start
  }
}
