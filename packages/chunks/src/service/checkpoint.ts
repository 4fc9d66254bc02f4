import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LetterCounts } from '../letters/word-scatter.ts'

/**
 * How far the work of a request has come, as it is kept on disk beside what it made. Work that is cut
 * off goes on from here; what was written after it is forgotten.
 */
export interface Checkpoint {
  /** Bytes of the file whose work is done. */
  readonly doneBytes: number
  /** Sealed pieces that are in the store. */
  readonly pieces: number
  /** Where the chunker goes on, and what it must know. */
  readonly resumeAt: number
  readonly carry: string
  /** Of each group: its bytes and its counts, where pieces are made of words. */
  readonly groups?: readonly { readonly bytes: number; readonly counts: LetterCounts }[]
}

export const checkpointName = 'checkpoint.json'

/** How often work is kept, in ms: so much is done again after a crash. */
const keepEveryMs = 1_000

/** Writes a checkpoint whole or not at all. */
async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const path = join(folder, checkpointName)
  await writeFile(`${path}.new`, JSON.stringify(checkpoint), { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** Returns the last checkpoint in a folder, if there is one. */
export async function readCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, checkpointName), 'utf8')) as Checkpoint
  } catch {
    // The work had not come so far, or cannot be resumed at all.
    return undefined
  }
}

/** Keeps checkpoints in a folder, one a second at most. */
export class CheckpointKeeper {
  readonly #folder: string
  readonly #monotonic: () => number
  #keptMs: number

  /** `monotonic` is the clock's. */
  constructor(folder: string, monotonic: () => number) {
    this.#folder = folder
    this.#monotonic = monotonic
    this.#keptMs = monotonic()
  }

  /** Keeps what `make` returns when it is time; `make` is to bring to disk what it tells of. */
  async keep(make: () => Promise<Checkpoint | undefined>): Promise<void> {
    if (this.#monotonic() - this.#keptMs < keepEveryMs) return
    const checkpoint = await make()
    if (checkpoint) await writeCheckpoint(this.#folder, checkpoint)
    this.#keptMs = this.#monotonic()
  }
}
