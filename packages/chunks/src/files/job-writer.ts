import { BlockReader } from './block-reader.ts'
import type { PieceSums } from './piece-job.ts'
import { type EntriesJob, EntryWriter } from './write-entries.ts'
import { type FilesJob, PieceWriter } from './write-pieces.ts'

/** Chunks to write, and where to. */
export type WriteJob = FilesJob | EntriesJob

/** Does one job after the other, by blocking calls. */
export class JobWriter {
  readonly #reader = new BlockReader()
  readonly #files = new PieceWriter(this.#reader)
  readonly #entries = new EntryWriter(this.#reader)

  write(job: WriteJob): PieceSums {
    return job.kind === 'files' ? this.#files.write(job) : this.#entries.write(job)
  }
}
