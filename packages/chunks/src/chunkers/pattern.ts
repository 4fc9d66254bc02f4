import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import { matchBytesMax, patternMsMax } from '../options.ts'
import type { PieceList } from '../pieces/piece-list.ts'
import type { Chunker, Resume } from './chunker.ts'
import { type Keep, Separated } from './delimiter.ts'
import { PatternThread } from './pattern-thread.ts'

/** A regular expression of JavaScript, as text. */
export interface Pattern {
  readonly source: string
  readonly flags: string
}

/** Bytes before a place that a pattern may look back at. */
export const contextBytes = 4_096

/**
 * Cuts at every match of a pattern. A match may be up to 64 KiB long: so much is held back at the end
 * of what has come, because more bytes could make a match longer.
 */
export class PatternChunker implements Chunker {
  readonly #pattern: Pattern
  readonly #separated: Separated
  readonly #thread: PatternThread
  /** The context, then what is not searched through yet. */
  #bytes: Buffer
  /** Where the search goes on, in `#bytes`. */
  #from: number
  /** Where `#bytes` begins in the file. */
  #at: number

  constructor(pattern: Pattern, keep: Keep, clock: Clock, { startAt, before }: Resume) {
    this.#pattern = pattern
    this.#separated = new Separated(keep, startAt)
    this.#thread = new PatternThread(clock, patternMsMax)
    this.#bytes = before
    this.#from = before.length
    this.#at = startAt - before.length
  }

  get resumeAt(): number {
    return this.#separated.resumeAt
  }

  async push(bytes: Buffer, pieces: PieceList): Promise<void> {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    if (this.#bytes.length > this.#from + 2 * matchBytesMax)
      await this.#search(this.#bytes.length - matchBytesMax, pieces)
  }

  async end(pieces: PieceList): Promise<void> {
    await this.#search(this.#bytes.length, pieces)
    this.#separated.end(this.#at + this.#bytes.length, pieces)
    await this.close()
  }

  close(): Promise<void> {
    return this.#thread.close()
  }

  /** Uses every match that ends at or before `until`, and keeps what the next search needs. */
  async #search(until: number, pieces: PieceList): Promise<void> {
    const bytes = Uint8Array.from(this.#bytes)
    const found = await this.#thread.search({ ...this.#pattern, bytes, from: this.#from })
    if (found.kind === 'not-text')
      throw fault(
        'NOT_TEXT',
        `the file is not UTF-8 near byte ${this.#at}, the pattern asks for it`,
      )
    const { offsets } = found
    let next = until
    for (let index = 0; index < offsets.length; index += 2) {
      const [start, end] = [offsets[index] as number, offsets[index + 1] as number]
      if (end - start > matchBytesMax)
        throw fault('PIECE_TOO_LARGE', `a match at byte ${this.#at + start} is over 64 KiB`)
      if (end > until) {
        next = Math.min(start, until)
        break
      }
      this.#separated.separate(this.#at + start, this.#at + end, pieces)
      next = Math.max(until, end)
    }
    this.#keepFrom(charStart(this.#bytes, next))
  }

  #keepFrom(next: number): void {
    const first = charStart(this.#bytes, Math.max(0, next - contextBytes))
    this.#bytes = Buffer.from(this.#bytes.subarray(first))
    this.#at += first
    this.#from = next - first
  }
}

/** Returns the start of the UTF-8 character that `at` lies in; `at` itself where there is none. */
function charStart(bytes: Buffer, at: number): number {
  for (let start = at; start > 0 && start > at - 4; start--)
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start
  return at
}
