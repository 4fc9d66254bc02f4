const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })

/** How far around a cut a cluster of characters is looked for, in bytes. */
const clusterBytesMax = 256

/** Whether a byte is ASCII white space. */
export function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13)
}

/** Whether [bytes] may be cut at `at` without dividing a UTF-8 character, CR LF or a grapheme, at a glance. */
function isPlain(bytes: Buffer, at: number): boolean {
  const [before, after] = [bytes[at - 1] as number, bytes[at] as number]
  return before < 0x80 && after < 0x80 && !(before === 13 && after === 10)
}

/**
 * Returns the last place from `least` to `at` where UTF-8 text may be cut without dividing what a
 * reader takes for one character (an extended grapheme cluster, UAX 29); where there is none, the
 * first one after `at`.
 */
export function safeCut(bytes: Buffer, at: number, least: number): number {
  if (at <= 0 || at >= bytes.length || isPlain(bytes, at)) return at
  const from = plainBefore(bytes, at)
  const until = charEnd(bytes, Math.min(bytes.length, at + clusterBytesMax))
  const text = bytes.toString('utf8', from, until)
  let end = from
  let best = -1
  for (const { segment } of graphemes.segment(text)) {
    if (end >= at && (best >= 0 || end > at)) break
    if (end >= least && end <= at && end > from) best = end
    end += Buffer.byteLength(segment)
  }
  if (end === at) best = at
  return best >= 0 ? best : Math.min(end, bytes.length)
}

/** Returns a place at or before `at` where text certainly may be cut, or the start of a character. */
function plainBefore(bytes: Buffer, at: number): number {
  const least = Math.max(0, at - clusterBytesMax)
  for (let from = at - 1; from > least; from--) if (isPlain(bytes, from)) return from
  let from = least
  while (from > 0 && ((bytes[from] as number) & 0xc0) === 0x80) from--
  return from
}

function charEnd(bytes: Buffer, at: number): number {
  let end = at
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end++
  return end
}

/** Returns the last place in (least, at] where a word begins after white space, or -1. */
export function wordStartBefore(bytes: Buffer, at: number, least: number): number {
  for (let place = at; place > least; place--)
    if (isSpace(bytes[place - 1] as number) && !isSpace(bytes[place] as number)) return place
  return -1
}

/** Returns the last place in (least, at] where a sentence begins, or -1. */
export function sentenceStartBefore(bytes: Buffer, at: number, least: number): number {
  for (let place = at; place > least; place--) if (isSentenceStart(bytes, place)) return place
  return -1
}

/** Returns the first place in [at, before) that `begins` accepts, or -1. */
export function firstStart(
  bytes: Buffer,
  at: number,
  before: number,
  begins: (bytes: Buffer, at: number) => boolean,
): number {
  for (let place = Math.max(1, at); place < before; place++) if (begins(bytes, place)) return place
  return -1
}

/** Whether a word begins at `at`, after white space. */
export function isWordStart(bytes: Buffer, at: number): boolean {
  return isSpace(bytes[at - 1] as number) && !isSpace(bytes[at] as number)
}

const [bang, dot, question] = [0x21, 0x2e, 0x3f]
/** `"`, `'`, `)`, `]`, `*`, `_`: what may stand between the end of a sentence and white space. */
const closers = new Set([0x22, 0x27, 0x29, 0x5d, 0x2a, 0x5f])
/** 。！？ in UTF-8. */
const wideEnds = new Set([0xe38082, 0xefbc81, 0xefbc9f])

/**
 * Whether a sentence begins at `at`: after an end mark and white space, after an empty line, or after
 * an ideographic end mark. It is a rule of thumb: "Mr. Smith" counts as an end.
 */
export function isSentenceStart(bytes: Buffer, at: number): boolean {
  const before = bytes[at - 1] as number
  if (before >= 0x80) return at >= 3 && wideEnds.has(bytes.readUIntBE(at - 3, 3))
  if (!isSpace(before) || isSpace(bytes[at] as number)) return false
  let end = at - 1
  let newlines = 0
  for (; end >= 0 && isSpace(bytes[end] as number); end--) if (bytes[end] === 10) newlines++
  if (newlines > 1 || end < 0) return true
  while (end > 0 && closers.has(bytes[end] as number)) end--
  const mark = bytes[end] as number
  return mark === dot || mark === bang || mark === question
}
