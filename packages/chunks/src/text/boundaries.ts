/** Made when the first one is needed: it takes 8 ms. */
let graphemes: Intl.Segmenter | undefined

/** How far around a cut a cluster of characters is looked for, in bytes; a longer one may be cut. */
const clusterBytesMax = 256

/** So many bytes beyond a place tell for sure how text is cut there. */
export const lookAheadBytes = 2 * clusterBytesMax

/** Whether a byte is ASCII white space. */
export function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13)
}

/** Whether text may be cut at `at` at a glance: between two characters of ASCII, but not in CR LF. */
function isPlain(bytes: Buffer, at: number): boolean {
  const [before, after] = [bytes[at - 1] as number, bytes[at] as number]
  return before < 0x80 && after < 0x80 && !(before === 13 && after === 10)
}

/** The last border of clusters up to a place, or -1, and the first one after it. */
interface Borders {
  readonly upTo: number
  readonly after: number
}

/**
 * Finds the borders of extended grapheme clusters (UAX 29) around `at`. `floor` is a border before it:
 * nothing before that is looked at, so the answer does not depend on how much of a file is there.
 */
function bordersAround(bytes: Buffer, at: number, floor: number): Borders {
  let border = scanStart(bytes, at, floor)
  const until = charEnd(bytes, Math.min(bytes.length, at + clusterBytesMax))
  let upTo = border === floor ? floor : -1
  graphemes ??= new Intl.Segmenter('und', { granularity: 'grapheme' })
  for (const { segment } of graphemes.segment(bytes.toString('utf8', border, until))) {
    border += Buffer.byteLength(segment)
    if (border > at) break
    upTo = border
  }
  return { upTo, after: Math.min(border, bytes.length) }
}

/** Returns a place before `at` from where clusters can be told: plain, or at the start of a character. */
function scanStart(bytes: Buffer, at: number, floor: number): number {
  const least = Math.max(floor, at - clusterBytesMax)
  for (let from = at - 1; from > least; from--) if (isPlain(bytes, from)) return from
  let from = least
  while (from > floor && ((bytes[from] as number) & 0xc0) === 0x80) from--
  return flagStart(bytes, from, floor)
}

const flagBytes = 4

/** Flags are pairs of regional indicators: which ones pair is told by the start of their run only. */
function flagStart(bytes: Buffer, from: number, floor: number): number {
  let run = from
  while (run - flagBytes >= floor && isIndicator(bytes, run - flagBytes)) run -= flagBytes
  const isOdd = ((from - run) / flagBytes) % 2 === 1
  return isOdd && isIndicator(bytes, from) ? from - flagBytes : from
}

/** Whether U+1F1E6 to U+1F1FF, half of a flag, stands at `at`. */
function isIndicator(bytes: Buffer, at: number): boolean {
  const last = bytes[at + 3] ?? 0
  return last >= 0xa6 && last <= 0xbf && bytes.readUIntBE(at, 3) === 0xf09f87
}

function charEnd(bytes: Buffer, at: number): number {
  let end = at
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end++
  return end
}

/** Whether text may be cut at `at` without dividing what a reader takes for one character. */
export function isBorder(bytes: Buffer, at: number, floor: number): boolean {
  if (at <= floor || at >= bytes.length || isPlain(bytes, at)) return true
  return bordersAround(bytes, at, floor).upTo === at
}

/** Returns the last place from `least` to `at` where text may be cut, else the first one after `at`. */
export function safeCut(bytes: Buffer, at: number, least: number, floor: number): number {
  if (at >= bytes.length || isPlain(bytes, at)) return at
  const { upTo, after } = bordersAround(bytes, at, floor)
  return upTo >= least ? upTo : after
}

/** Returns the first place from `at` on where text may be cut. */
export function borderFrom(bytes: Buffer, at: number, floor: number): number {
  if (at <= floor || at >= bytes.length || isPlain(bytes, at)) return at
  const { upTo, after } = bordersAround(bytes, at, floor)
  return upTo === at ? at : after
}

/** Returns the last place in (least, at] where a word begins and text may be cut, or -1. */
export function lastWordStart(bytes: Buffer, at: number, least: number, floor: number): number {
  for (let place = at; place > least; place--)
    if (isWordStart(bytes, place) && isBorder(bytes, place, floor)) return place
  return -1
}

/** Returns the first place in [at, before) where a word begins and text may be cut, or -1. */
export function firstWordStart(bytes: Buffer, at: number, before: number, floor: number): number {
  for (let place = Math.max(1, at); place < before; place++)
    if (isWordStart(bytes, place) && isBorder(bytes, place, floor)) return place
  return -1
}

/** Whether a word begins at `at`, after white space. */
function isWordStart(bytes: Buffer, at: number): boolean {
  return isSpace(bytes[at - 1] as number) && !isSpace(bytes[at] as number)
}
