import type { PieceList } from '../pieces/piece-list.ts'
import { TextCheck } from '../text/utf8-check.ts'
import type { Chunker, Resume } from './chunker.ts'
import { Tail } from './tail.ts'

/** What a kind of text chunker decides about one piece. */
interface TextCut {
  /** Where the piece that starts at `start` ends, in `bytes`. */
  readonly end: number
  /** Where the next piece starts: at most `end`, and after `start`. */
  readonly next: number
}

/** Finds the next cut from `start`; undefined when it takes more bytes to tell. */
export type FindCut = (bytes: Buffer, start: number, isEnd: boolean) => TextCut | undefined

/** Cuts text one piece after the other: each begins where the one before says. */
export class TextChunker implements Chunker {
  readonly #find: FindCut
  readonly #check = new TextCheck()
  readonly #tail: Tail
  readonly #carryOf: (() => string) | undefined
  #isDone = false

  constructor(find: FindCut, { startAt }: Pick<Resume, 'startAt'>, carryOf?: () => string) {
    this.#find = find
    this.#tail = new Tail(startAt)
    this.#carryOf = carryOf
  }

  get resumeAt(): number {
    return this.#tail.at
  }

  get carry(): string {
    return this.#carryOf?.() ?? ''
  }

  push(bytes: Buffer, pieces: PieceList): void {
    this.#check.push(bytes)
    this.#tail.join(bytes, 'piece')
    this.#cutAll(false, pieces)
  }

  end(pieces: PieceList): void {
    this.#check.end()
    this.#cutAll(true, pieces)
  }

  #cutAll(isEnd: boolean, pieces: PieceList): void {
    const { bytes, at } = this.#tail
    let start = 0
    while (start < bytes.length && !this.#isDone) {
      const cut = this.#find(bytes, start, isEnd)
      if (!cut) break
      pieces.add(at + start, at + cut.end)
      // Once a piece reaches the end, what overlaps with it is not a piece of its own.
      this.#isDone = isEnd && cut.end === bytes.length
      start = this.#isDone ? bytes.length : cut.next
    }
    this.#tail.drop(start)
  }
}
