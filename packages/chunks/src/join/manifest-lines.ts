import { fault } from '../errors.ts'
import { checkName } from '../names.ts'

/** The first line of a manifest, checked. */
export interface ManifestHead {
  readonly name: string
  readonly bytes: number
  readonly sha256: string | undefined
  readonly restores: string
  readonly before: number
  readonly beforeFirst: boolean
  readonly after: number
  readonly separator: number
}

/** The line of one chunk, checked. */
export interface ManifestPiece {
  readonly i: number
  readonly offset: number
  readonly length: number
  readonly sha256: string
  readonly name: string
  /** The chunk itself, in an NDJSON result. */
  readonly content: Buffer | undefined
}

/** The last line. */
export interface ManifestEnd {
  readonly pieces: number
  readonly sha256OfSums: string
}

type Fields = Record<string, unknown>

/** Reads a line of JSON; throws CHUNKS_DAMAGED. */
export function parseLine(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Fields
  } catch (cause) {
    throw fault('CHUNKS_DAMAGED', 'a line of the manifest is no JSON', { cause })
  }
  throw fault('CHUNKS_DAMAGED', 'a line of the manifest is no JSON object')
}

/** Checks the first line; throws CHUNKS_DAMAGED. */
export function readHead(fields: Fields): ManifestHead {
  if (fields.format !== 'drover-chunks/1')
    throw fault('CHUNKS_DAMAGED', 'this is no manifest of drover-chunks/1')
  const { separator = 10 } = (fields.way ?? {}) as Fields
  return {
    name: text(fields, 'name'),
    bytes: whole(fields, 'bytes'),
    sha256: fields.sha256 === undefined ? undefined : text(fields, 'sha256'),
    restores: text(fields, 'restores'),
    before: whole(fields, 'before'),
    beforeFirst: fields.beforeFirst === true,
    after: whole(fields, 'after'),
    separator: whole({ separator }, 'separator'),
  }
}

/** Checks a chunk's line; names with slashes are refused (NAME_INVALID). */
export function readPiece(fields: Fields): ManifestPiece {
  const { text: own, base64 } = fields
  const content =
    typeof own === 'string'
      ? Buffer.from(own)
      : typeof base64 === 'string'
        ? Buffer.from(base64, 'base64')
        : undefined
  return {
    i: whole(fields, 'i'),
    offset: whole(fields, 'offset'),
    length: whole(fields, 'length'),
    sha256: text(fields, 'sha256'),
    name: checkName(text(fields, 'name')),
    content,
  }
}

/** Checks the last line. */
export function readEnd(fields: Fields): ManifestEnd {
  return { pieces: whole(fields, 'pieces'), sha256OfSums: text(fields, 'sha256OfSums') }
}

function whole(fields: Fields, key: string): number {
  const value = fields[key]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw fault('CHUNKS_DAMAGED', `the manifest's "${key}" is no whole number`)
}

function text(fields: Fields, key: string): string {
  const value = fields[key]
  if (typeof value === 'string') return value
  throw fault('CHUNKS_DAMAGED', `the manifest's "${key}" is no text`)
}
