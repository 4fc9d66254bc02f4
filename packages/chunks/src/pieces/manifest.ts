import { createHash } from 'node:crypto'
import type { LetterCounts } from '../letters/word-scatter.ts'
import type { Plan } from '../way/plan.ts'
import type { SealedPieces } from './piece-store.ts'
import { contentBytes } from './seal.ts'
import { UniqueSums } from './unique-sums.ts'

/** What a manifest needs to know beside the pieces. */
export interface ManifestFacts {
  readonly plan: Plan
  /** The name of the file that was chunked. */
  readonly name: string
  readonly nameOf: (index: number) => string
  readonly counts?: readonly LetterCounts[]
  /** Of the whole file, where it is known. */
  readonly sha256?: string
}

export const manifestName = 'manifest.ndjson'

/** Writes a manifest line by line; docs/formats/chunks-manifest.md draws it. */
export class ManifestWriter {
  readonly #facts: ManifestFacts
  readonly #sums = createHash('sha256')
  /** Counts different chunks, where the same bytes are cut alike. */
  readonly #unique: UniqueSums | undefined
  #pieces = 0
  #bytes = 0

  constructor(facts: ManifestFacts) {
    this.#facts = facts
    this.#unique = facts.plan.way.by === 'cdc' ? new UniqueSums() : undefined
  }

  /** The first line: the file and how it was chunked. */
  head(): string {
    const { plan, name, sha256 } = this.#facts
    const { wrap } = plan
    return line({
      format: 'drover-chunks/1',
      name,
      bytes: plan.fileBytes,
      ...(sha256 === undefined ? {} : { sha256 }),
      way: plan.way,
      ...(plan.algorithm === undefined ? {} : { algorithm: plan.algorithm }),
      restores: plan.restores ?? 'no',
      before: wrap.before.length,
      beforeFirst: wrap.beforeFirst,
      after: wrap.after.length,
    })
  }

  /** The lines of a batch of pieces. */
  lines(
    batch: Omit<SealedPieces, 'crc32'>,
    more?: (index: number) => Record<string, unknown>,
  ): string {
    const { plan, nameOf, counts } = this.#facts
    const { first, count, starts, ends, sha256 } = batch
    let text = ''
    for (let index = 0; index < count; index++) {
      const [start, end] = [starts[index] as number, ends[index] as number]
      const number = first + index
      const length = contentBytes(plan.wrap, number, start, end)
      const sum = sha256.toString('hex', index * 32, index * 32 + 32)
      const extra = { ...counts?.[number], ...more?.(index) }
      const rest = JSON.stringify(extra)
      text += `{"i":${number},"offset":${start},"length":${length},"sha256":"${sum}","name":${JSON.stringify(nameOf(number))}${rest === '{}' ? '' : `,${rest.slice(1, -1)}`}}\n`
      this.#bytes += length
      this.#unique?.add(sha256, index * 32, length)
    }
    this.#sums.update(sha256.subarray(0, count * 32))
    this.#pieces += count
    return text
  }

  /** The last line: how many there were, and the SHA-256 of all their SHA-256. */
  end(): string {
    const sha256OfSums = this.#sums.digest('hex')
    const unique = this.#unique
      ? { uniquePieces: this.#unique.count, uniqueBytes: this.#unique.bytes }
      : {}
    return line({ end: true, pieces: this.#pieces, bytes: this.#bytes, ...unique, sha256OfSums })
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}
