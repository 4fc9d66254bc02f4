import type { Keep } from '../chunkers/delimiter.ts'
import type { LetterSet } from '../letters/letter-sets.ts'

/** How a file is chunked: checked, complete, and plain JSON, as it goes to backends and manifests. */
export type Way =
  | {
      readonly by: 'letters'
      readonly sets: readonly LetterSet[]
      /** Whether the file is a word list; `auto` tells by its first lines. */
      readonly list: 'auto' | 'yes' | 'no'
      /** Orders the words of a word list. */
      readonly seed: number
    }
  | {
      readonly by: 'bytes'
      readonly bytes: number
      /** Cut at line ends, as many whole lines as fit. */
      readonly linesWhole: boolean
      readonly separator: number
    }
  | {
      readonly by: 'parts'
      readonly count: number
      /** `dealt`: line by line in turn. */
      readonly lines: 'cut' | 'whole' | 'dealt'
      readonly separator: number
    }
  | {
      readonly by: 'lines'
      readonly count: number
      /** Repeat the first line in each piece. */
      readonly header: boolean
      readonly separator: number
    }
  | { readonly by: 'delimiter'; readonly delimiter: string; readonly keep: Keep }
  | {
      readonly by: 'regex'
      readonly source: string
      readonly flags: string
      readonly keep: Keep
    }
  | {
      readonly by: 'cdc'
      readonly minBytes: number
      readonly avgBytes: number
      readonly maxBytes: number
      readonly level: number
      readonly seed: string
    }
  | { readonly by: 'tokens'; readonly sizeTokens: number; readonly overlapTokens: number }
  | {
      readonly by: 'sentences' | 'markdown'
      readonly sizeBytes: number
      readonly overlapBytes: number
    }
  | {
      readonly by: 'records'
      readonly count: number
      readonly format: 'auto' | 'csv' | 'ndjson' | 'json'
      /** Repeat the first record of CSV in each piece. */
      readonly header: boolean
      /** What divides the fields of CSV. */
      readonly comma: string
    }

export const wayNames = [
  'letters',
  'bytes',
  'parts',
  'lines',
  'delimiter',
  'regex',
  'cdc',
  'tokens',
  'sentences',
  'markdown',
  'records',
] as const

export type WayName = (typeof wayNames)[number]

/** What a person says beside the way and its value; each is for some ways only. */
export interface WayOptions {
  /** bytes, parts: cut at line ends. */
  readonly linesWhole?: boolean
  /** parts: deal lines out in turn. */
  readonly dealt?: boolean
  /** lines, records: repeat the first one in each piece. */
  readonly header?: boolean
  /** bytes, parts, lines: the one byte that ends a line, or `\0`. Default a newline. */
  readonly separator?: string
  /** delimiter, regex: `end` (default), `start` or `drop`. */
  readonly keep?: string
  /** records: `csv`, `ndjson`, `json` or `auto` (default). */
  readonly format?: string
  /** records: what divides the fields of CSV. Default a comma. */
  readonly comma?: string
  /** cdc: normalisation 0 to 3. Default 2. */
  readonly level?: string
  /** letters: the order of a word list; cdc: other cuts. */
  readonly seed?: string
  /** letters: `yes`, `no` or `auto` (default): whether the file is a word list. */
  readonly list?: string
}

/** Which ways heed an option. */
export const waysOf: Readonly<Record<keyof WayOptions, readonly WayName[]>> = {
  linesWhole: ['bytes', 'parts'],
  dealt: ['parts'],
  header: ['lines', 'records'],
  separator: ['bytes', 'parts', 'lines'],
  keep: ['delimiter', 'regex'],
  format: ['records'],
  comma: ['records'],
  level: ['cdc'],
  seed: ['letters', 'cdc'],
  list: ['letters'],
}
