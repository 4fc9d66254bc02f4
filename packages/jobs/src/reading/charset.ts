import { readTags } from './tags.ts'

/** Where a meta element is looked for, in bytes. Browsers look at 1,024; sites put it later. */
const prescanBytes = 4_096

/**
 * Returns the text of a page. The charset is that of its byte order mark, else of its
 * `content-type`, else of its meta element; without any, UTF-8 when the bytes are that, else
 * windows-1252, as browsers do. Bytes that are wrong become U+FFFD.
 */
export function decodeText(bytes: Uint8Array, contentType: string | undefined): string {
  const named = markOf(bytes) ?? known(headerCharset(contentType)) ?? metaCharset(bytes)
  return new TextDecoder(named ?? guess(bytes)).decode(bytes)
}

function markOf(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return undefined
}

function headerCharset(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*["']?([^\s"';,]{1,40})/i.exec(contentType ?? '')?.[1]
}

/** A page that could say utf-16 in ASCII is not utf-16 (HTML standard, 13.2.3.2). */
function metaCharset(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, prescanBytes))
  let found: string | undefined
  readTags(start, {
    attributes: { meta: ['charset', 'http-equiv', 'content'] },
    onOpen(_name, { charset, content, 'http-equiv': about }) {
      found ??= known(charset)
      if (about?.toLowerCase() === 'content-type') found ??= known(contentCharset(content))
    },
  })
  found ??= known(/^<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})/i.exec(start)?.[1])
  return found?.startsWith('utf-16') ? 'utf-8' : found
}

function contentCharset(content: string | undefined): string | undefined {
  return /charset\s*=\s*["']?\s*([^\s"';]{1,40})/i.exec(content ?? '')?.[1]
}

/** Returns the label when it names a charset that can be decoded. */
function known(label: string | undefined): string | undefined {
  if (label === undefined) return undefined
  try {
    return new TextDecoder(label).encoding
  } catch {
    // A label that nobody knows counts as none.
    return undefined
  }
}

function guess(bytes: Uint8Array): string {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return 'utf-8'
  } catch {
    // Not UTF-8: most likely an old page of the West.
    return 'windows-1252'
  }
}
