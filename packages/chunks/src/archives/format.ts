/** One file in an archive; its size and CRC-32 are known before its first byte. */
export interface Entry {
  readonly name: string
  readonly bytes: number
  readonly crc32: number
}

/** What takes the bytes that an archive has around its entries; they are copied. */
export interface Sink {
  add(bytes: Buffer): void
}

/** Takes the end of an archive, and tells where in the archive it is. */
interface EndSink extends Sink {
  readonly total: number
  full(): Buffer[]
  all(): Buffer[]
}

/** How an archive is laid out around the bytes of its entries. */
export interface ArchiveFormat {
  /** Whether the CRC-32 of entries are needed; without them they are 0. */
  readonly hasCrc: boolean
  /** Bytes before and after those of an entry, told by its name and size alone. */
  around(entry: Omit<Entry, 'crc32'>): { readonly before: number; readonly after: number }
  /** What stands before an entry's bytes. */
  begin(entry: Entry, out: Sink): void
  /** What stands after them. */
  finish(entry: Entry, out: Sink): void
  /** What stands at the very end. `entries` yields every entry again, in order. */
  end(entries: AsyncIterable<readonly Entry[]>, out: EndSink): AsyncIterable<Buffer>
}

/** Archives are the same bytes each time: entries are dated 1980-01-01, the first day of zip. */
export const dosDate = (0 << 9) | (1 << 5) | 1
export const unixSeconds = 315_532_800
