import type { Found } from '../chunk-file.ts'
import type { ManifestFacts } from '../pieces/manifest.ts'
import type { Pieces } from '../pieces/piece-list.ts'
import type { FileSource } from '../source/file-source.ts'
import type { PieceJob } from './piece-job.ts'

/** Pieces that follow each other, for one job; `first` is the number of the first. */
export interface Part extends Pieces {
  readonly first: number
}

/** A job has about this many bytes, unless a single chunk has more. */
const jobBytes = 8 * 2 ** 20
/** The most chunks of a job: their sums and names are held in memory. */
const jobPieces = 16_384

/** Yields copies of the pieces, in parts of about the bytes of a job. */
export async function* partsOf(
  batches: AsyncIterable<Found>,
  content: FileSource,
): AsyncGenerator<Part> {
  let first = 0
  for await (const { pieces } of batches) {
    for (let from = 0; from < pieces.count; ) {
      const until = endOfPart(pieces, from, content)
      const starts = pieces.starts.slice(from, until)
      yield { first, count: until - from, starts, ends: pieces.ends.slice(from, until) }
      first += until - from
      from = until
    }
  }
}

/** Returns the number after the last piece of a part, which lies in one file. */
function endOfPart({ count, starts, ends }: Pieces, from: number, content: FileSource): number {
  const { end } = content.locate(starts[from] as number)
  const most = Math.min(count, from + jobPieces)
  let until = from + 1
  let bytes = (ends[from] as number) - (starts[from] as number)
  for (; until < most; until++) {
    bytes += (ends[until] as number) - (starts[until] as number)
    if (bytes > jobBytes || (ends[until] as number) > end) break
  }
  return until
}

/** Returns a part as a job of any kind. */
export function jobOf(part: Part, { plan, nameOf }: ManifestFacts, content: FileSource): PieceJob {
  const { first, count, starts, ends } = part
  const { before, beforeFirst, after } = plan.wrap
  const { fd, at } = content.locate(starts[0] ?? 0)
  const shift = (starts[0] ?? 0) - at
  return {
    fd,
    names: Array.from({ length: count }, (_, index) => nameOf(first + index)),
    starts: shift === 0 ? starts : starts.map((start) => start - shift),
    ends: shift === 0 ? ends : ends.map((end) => end - shift),
    before,
    after,
    isFirst: first === 0 && !beforeFirst,
  }
}
