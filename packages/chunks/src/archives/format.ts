import type { Blocks } from './blocks.ts'

/** One file in an archive; its size and CRC-32 are known before its first byte. */
export interface Entry {
  readonly name: string
  readonly bytes: number
  readonly crc32: number
}

/** How an archive is laid out around the bytes of its entries. */
export interface ArchiveFormat {
  /** What stands before an entry's bytes. */
  begin(entry: Entry, out: Blocks): void
  /** What stands after them. */
  finish(entry: Entry, out: Blocks): void
  /** What stands at the very end. `entries` yields every entry again, in order. */
  end(entries: AsyncIterable<readonly Entry[]>, out: Blocks): AsyncIterable<Buffer>
}

/** Archives are the same bytes each time: entries are dated 1980-01-01, the first day of zip. */
export const dosDate = (0 << 9) | (1 << 5) | 1
export const unixSeconds = 315_532_800
