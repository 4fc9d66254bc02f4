import type { Clock } from '@drover/kernel'
import { BytesChunker } from '../chunkers/bytes.ts'
import { CdcChunker, cdcAlgorithm } from '../chunkers/cdc.ts'
import type { Chunker, Resume } from '../chunkers/chunker.ts'
import { CsvChunker, CsvScanner } from '../chunkers/csv-records.ts'
import { DelimiterChunker } from '../chunkers/delimiter.ts'
import { JsonChunker } from '../chunkers/json-records.ts'
import { LineBytesChunker } from '../chunkers/line-bytes.ts'
import { LinesChunker } from '../chunkers/lines.ts'
import { createMarkdownChunker } from '../chunkers/markdown.ts'
import { LineParts } from '../chunkers/parts.ts'
import { PatternChunker } from '../chunkers/pattern.ts'
import { createSentencesChunker } from '../chunkers/sentences.ts'
import { createTokensChunker } from '../chunkers/tokens.ts'
import { fault } from '../errors.ts'
import { looksLikeWordList } from '../letters/word-list.ts'
import type { Way } from './way.ts'

/** Bytes at the start of a file that tell what it is. */
export const headBytesMax = 64 * 1_024

/** What is put around each piece when it is written, beside its own bytes. */
export interface Wrap {
  readonly before: Buffer
  /** Whether the first piece gets `before` too; it has the header of a table already. */
  readonly beforeFirst: boolean
  readonly after: Buffer
}

/** A way made definite for one file. Plain JSON but for `wrap`. */
export interface Plan {
  readonly way: Way
  readonly fileBytes: number
  readonly wrap: Wrap
  /** Whether pieces are made of words or lines from all over the file. */
  readonly isSorted: boolean
  /** How the file is put together again from its pieces; undefined when bytes are lost. */
  readonly restores: 'offsets' | 'deal' | undefined
  /** The algorithm and its version, where other software can make the same cuts. */
  readonly algorithm: string | undefined
}

const noWrap: Wrap = { before: Buffer.alloc(0), beforeFirst: false, after: Buffer.alloc(0) }

/** Decides what the first bytes of the file tell: its kind, its header. Throws PIECE_TOO_LARGE. */
export function planFor(asked: Way, fileBytes: number, head: Buffer): Plan {
  const way = settle(asked, fileBytes, head)
  return {
    way,
    fileBytes,
    wrap: wrapOf(way, head, fileBytes),
    isSorted: way.by === 'letters' || (way.by === 'parts' && way.lines === 'dealt'),
    restores: restoresOf(way),
    algorithm: way.by === 'cdc' ? cdcAlgorithm : undefined,
  }
}

function settle(way: Way, fileBytes: number, head: Buffer): Way {
  if (way.by === 'letters' && way.list === 'auto')
    return { ...way, list: looksLikeWordList(head, head.length === fileBytes) ? 'yes' : 'no' }
  if (way.by === 'records' && way.format === 'auto') {
    const [first = ''] = head.toString('latin1').trimStart()
    return { ...way, format: first === '[' ? 'json' : first === '{' ? 'ndjson' : 'csv' }
  }
  return way
}

function wrapOf(way: Way, head: Buffer, fileBytes: number): Wrap {
  if (way.by === 'records' && way.format === 'json')
    return { before: Buffer.from('['), beforeFirst: true, after: Buffer.from(']\n') }
  const isTable = way.by === 'lines' || (way.by === 'records' && way.format === 'csv')
  if (!isTable || !way.header) return noWrap
  const end =
    way.by === 'lines'
      ? head.indexOf(way.separator) + 1
      : Math.max(0, new CsvScanner(way.comma.charCodeAt(0)).endOfRecord(head, 0))
  if (end === 0 && head.length < fileBytes)
    throw fault('PIECE_TOO_LARGE', `the header is over ${headBytesMax} bytes`)
  return { ...noWrap, before: Buffer.from(head.subarray(0, end)) }
}

function restoresOf(way: Way): Plan['restores'] {
  if (way.by === 'letters') return undefined
  if (way.by === 'parts' && way.lines === 'dealt') return 'deal'
  if ((way.by === 'delimiter' || way.by === 'regex') && way.keep === 'drop') return undefined
  return way.by === 'records' && way.format === 'json' ? undefined : 'offsets'
}

/** Returns the chunker of a plan whose pieces are ranges of the file. */
export function createChunker({ way, fileBytes }: Plan, resume: Resume, clock: Clock): Chunker {
  const { startAt } = resume
  switch (way.by) {
    case 'bytes':
      if (way.linesWhole) return new LineBytesChunker(way.bytes, way.separator, startAt)
      return new BytesChunker(way.bytes, startAt)
    case 'parts':
      return new LineParts(way.count, fileBytes, way.separator)
    case 'lines':
      return new LinesChunker(way.count, way.separator, startAt, headerOf(way, startAt))
    case 'delimiter':
      return new DelimiterChunker(Buffer.from(way.delimiter), way.keep, startAt)
    case 'regex':
      return new PatternChunker(way, way.keep, clock, resume)
    case 'cdc':
      return new CdcChunker({ ...way, seed: BigInt(way.seed) }, startAt)
    case 'tokens':
      return createTokensChunker(way, resume)
    case 'sentences':
      return createSentencesChunker(way, resume)
    case 'markdown':
      return createMarkdownChunker(way, resume)
    case 'records':
      return createRecordsChunker(way, resume)
    case 'letters':
      throw new TypeError('letters are dealt out, not cut')
    default:
      throw new TypeError(`no chunker for ${JSON.stringify(way satisfies never)}`)
  }
}

function createRecordsChunker(way: Way & { by: 'records' }, resume: Resume): Chunker {
  const { count, format, comma } = way
  if (format === 'json') return new JsonChunker(count, resume)
  if (format === 'ndjson') return new LinesChunker(count, 10, resume.startAt)
  const header = headerOf(way, resume.startAt)
  return new CsvChunker(count, comma.charCodeAt(0), resume.startAt, header)
}

/** The header is one more line (or record) of the first piece. */
function headerOf({ header }: { readonly header: boolean }, startAt: number): number {
  return header && startAt === 0 ? 1 : 0
}
