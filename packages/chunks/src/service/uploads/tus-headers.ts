import { fault } from '../../errors.ts'
import { type Checksum, checksumAlgorithms } from './tus-store.ts'

type Header = string | string[] | undefined

const partsMax = 256
const metadataBytesMax = 8_192
const metadataKeysMax = 40

/** Reads Upload-Length or Upload-Offset. Throws UPLOAD_INVALID. */
export function readCount(name: string, header: Header): number {
  const count = /^\d{1,15}$/.test(String(header)) ? Number(header) : Number.NaN
  if (Number.isNaN(count)) throw fault('UPLOAD_INVALID', `${name} is missing or no number`)
  return count
}

/** Reads Upload-Metadata: `key base64,key base64`, keys once each. Throws UPLOAD_INVALID. */
export function readMetadata(text: string): Record<string, string> {
  if (text === '') return {}
  const pairs = text.split(',')
  if (text.length > metadataBytesMax || pairs.length > metadataKeysMax)
    throw fault('UPLOAD_INVALID', 'Upload-Metadata is too long')
  const found: Record<string, string> = Object.create(null)
  for (const pair of pairs) {
    const match = /^\s*([^\s,]+)(?: ([A-Za-z0-9+/]*={0,2}))?\s*$/.exec(pair)
    const [, key = '', value = ''] = match ?? []
    if (!match || key in found)
      throw fault('UPLOAD_INVALID', 'Upload-Metadata is no list of unique keys with base64 values')
    found[key] = Buffer.from(value, 'base64').toString()
  }
  return found
}

/** Reads the URLs of Upload-Concat; undefined when it is no final upload. Throws UPLOAD_INVALID. */
export function readParts(concat: string): string[] | undefined {
  if (concat === '' || concat === 'partial') return undefined
  if (!concat.startsWith('final;'))
    throw fault('UPLOAD_INVALID', 'Upload-Concat is "partial" or "final;" and the parts')
  const urls = concat.slice('final;'.length).trim().split(/\s+/)
  if (urls.length > partsMax) throw fault('UPLOAD_INVALID', `at most ${partsMax} parts`)
  return urls
}

/** Reads Upload-Checksum: an algorithm and a digest in base64. Throws UPLOAD_INVALID. */
export function readChecksum(header: Header): Checksum | undefined {
  if (header === undefined) return undefined
  const [name = '', value = ''] = String(header).split(' ')
  const algorithm = checksumAlgorithms.find((known) => known === name)
  if (!algorithm)
    throw fault(
      'UPLOAD_INVALID',
      `checksums are ${checksumAlgorithms.join(', ')}, not "${name.slice(0, 20)}"`,
    )
  return { algorithm, digest: Buffer.from(value, 'base64') }
}
