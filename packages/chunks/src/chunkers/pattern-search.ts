import { brokenBytes } from '../text/utf8-tail.ts'

/** What a search is to do; plain data, because it goes to a thread of its own. */
export interface Search {
  readonly source: string
  readonly flags: string
  readonly bytes: Uint8Array
  /** Where in `bytes` to begin; what lies before is seen by `^`, `\b` and lookbehind only. */
  readonly from: number
}

/** The offsets of every match: start, end, start, end, … or why there are none. */
export type Found =
  | { readonly kind: 'found'; readonly offsets: Float64Array<ArrayBuffer> }
  | { readonly kind: 'not-text' }

/**
 * Finds every match that is not empty, as byte offsets. A pattern with the flag u sees UTF-8; any
 * other sees each byte as one character, which costs nothing and keeps offsets as they are.
 */
export function searchPattern({ source, flags, bytes, from }: Search): Found {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isUnicode = /[uv]/.test(flags)
  const whole = isUnicode ? buffer.subarray(0, buffer.length - brokenBytes(buffer)) : buffer
  const text = decode(whole, isUnicode)
  if (text === undefined) return { kind: 'not-text' }
  const isNarrow = text.length === whole.length
  const offsets: number[] = []
  const pattern = new RegExp(source, `${flags}g`)
  pattern.lastIndex = isNarrow ? from : whole.toString('utf8', 0, from).length

  let character = 0
  let byte = 0
  const byteOf = (index: number): number => {
    if (isNarrow) return index
    byte += Buffer.byteLength(text.slice(character, index))
    character = index
    return byte
  }
  for (const match of text.matchAll(pattern)) {
    const [{ length }] = match
    if (length > 0) offsets.push(byteOf(match.index), byteOf(match.index + length))
  }
  return { kind: 'found', offsets: Float64Array.from(offsets) }
}

function decode(bytes: Buffer, isUnicode: boolean): string | undefined {
  if (!isUnicode) return bytes.toString('latin1')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // The only thing that it throws is that these bytes are no UTF-8.
    return undefined
  }
}
