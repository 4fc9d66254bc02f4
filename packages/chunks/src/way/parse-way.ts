import { nearest, parseSize } from '@drover/kernel'
import { masksOf } from '../cdc/gear.ts'
import type { Keep } from '../chunkers/delimiter.ts'
import { fault } from '../errors.ts'
import { parseLetters } from '../letters/letter-sets.ts'
import { groupsMax, pieceBytesMax } from '../options.ts'
import { type Way, type WayName, type WayOptions, wayNames, waysOf } from './way.ts'

type Parse = (value: string, options: WayOptions) => Way

const newline = 10

/** How each way reads its value. */
const parsers: Readonly<Record<WayName, Parse>> = {
  letters: (value, { list, seed }) => ({
    by: 'letters',
    sets: parseLetters(value),
    list: oneOf('list', list ?? 'auto', ['auto', 'yes', 'no'] as const),
    seed: whole('seed', seed ?? '0', 0, 2 ** 32 - 1),
  }),
  bytes: (value, { linesWhole = false, separator }) => ({
    by: 'bytes',
    bytes: size('bytes', value, linesWhole ? pieceBytesMax : Number.MAX_SAFE_INTEGER),
    linesWhole,
    separator: separatorByte(separator),
  }),
  parts: (value, { linesWhole = false, dealt = false, separator }) => ({
    by: 'parts',
    count: whole('parts', value, 1, dealt ? groupsMax : 1_000_000),
    lines: dealt ? 'dealt' : linesWhole ? 'whole' : 'cut',
    separator: separatorByte(separator),
  }),
  lines: (value, { header = false, separator }) => ({
    by: 'lines',
    count: whole('lines', value, 1),
    header,
    separator: separatorByte(separator),
  }),
  delimiter: (value, { keep }) => {
    const delimiter = withEscapes(value)
    if (delimiter === '' || Buffer.byteLength(delimiter) > 1_024)
      throw fault('PATTERN_INVALID', 'a delimiter has 1 to 1,024 bytes')
    return { by: 'delimiter', delimiter, keep: keepOf(keep) }
  },
  regex: (value, { keep }) => ({ by: 'regex', ...parsePattern(value), keep: keepOf(keep) }),
  cdc: parseCdc,
  tokens: (value) => {
    const [sizeTokens, overlapTokens] = sizeAndOverlap('tokens', value === '' ? '512/64' : value)
    return { by: 'tokens', sizeTokens, overlapTokens }
  },
  sentences: (value) => textSize('sentences', value),
  markdown: (value) => textSize('markdown', value),
  records: (value, { format, header = false, comma = ',' }) => {
    if (!/^[,;|\t:]$/.test(withEscapes(comma)))
      throw fault('WAY_UNKNOWN', `comma: expected , ; | : or \\t, not "${comma.slice(0, 20)}"`)
    return {
      by: 'records',
      count: whole('records', value, 1),
      format: oneOf('format', format ?? 'auto', ['auto', 'csv', 'ndjson', 'json'] as const),
      header,
      comma: withEscapes(comma),
    }
  },
}

/**
 * Reads a way and its value: `bytes 64MiB`, `bytes:64MiB`, `letters a-c,d-z`, `cdc`. Throws
 * WAY_UNKNOWN, SIZE_INVALID, LETTERS_INVALID, PATTERN_INVALID; the message says what is allowed.
 */
export function parseWay(text: string, options: WayOptions = {}): Way {
  const match = /^\s*([A-Za-z]+)(?:(?:\s|:|=)([\s\S]*))?$/.exec(text)
  const name = (match?.[1] ?? '').toLowerCase()
  const parse = Object.hasOwn(parsers, name) ? parsers[name as WayName] : undefined
  if (!parse) throw unknown('way to chunk', name || text.trim().slice(0, 40), wayNames)
  checkOptions(name as WayName, options)
  const value = match?.[2] ?? ''
  return parse(name === 'delimiter' || name === 'regex' ? value : value.trim(), options)
}

/** Throws WAY_UNKNOWN for an option that the way would not heed: who gives it expects something. */
function checkOptions(name: WayName, options: WayOptions): void {
  for (const [option, ways] of Object.entries(waysOf)) {
    const given = options[option as keyof WayOptions]
    if (given === undefined || given === false || ways.includes(name)) continue
    const known = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    throw fault('WAY_UNKNOWN', `${name} has no option ${known}; ${ways.join(', ')} have it`)
  }
}

/** Returns the fault for a word that is none of `known`. */
export function unknown(what: string, word: string, known: readonly string[]) {
  const near = nearest(word, known)
  const hint = near === undefined ? '' : `; did you mean "${near}"?`
  return fault('WAY_UNKNOWN', `no ${what} is "${word}"${hint}; there are ${known.join(', ')}`)
}

function oneOf<const Word extends string>(
  what: string,
  word: string,
  known: readonly Word[],
): Word {
  const found = known.find((one) => one === word)
  if (found === undefined) throw unknown(what, word.slice(0, 40), known)
  return found
}

function keepOf(keep: string | undefined): Keep {
  return oneOf('keep', keep ?? 'end', ['end', 'start', 'drop'] as const)
}

function whole(what: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const number = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`
  throw fault('SIZE_INVALID', `${what}: expected a whole number ${range}, not "${shown(text)}"`)
}

function size(what: string, text: string, most: number): number {
  let bytes = 0
  try {
    bytes = parseSize(text)
  } catch (cause) {
    throw fault('SIZE_INVALID', `${what}: "${shown(text)}" is no size such as 64MiB`, { cause })
  }
  if (bytes >= 1 && bytes <= most) return bytes
  throw fault('SIZE_INVALID', `${what}: a size is from 1 to ${most} bytes, not "${shown(text)}"`)
}

function shown(text: string): string {
  return text.slice(0, 40)
}

function sizeAndOverlap(what: string, text: string): [number, number] {
  const [first = '', second = '0', ...more] = text.split('/')
  if (more.length > 0)
    throw fault('SIZE_INVALID', `${what}: expected size/overlap, not "${shown(text)}"`)
  const most = whole(`${what} size`, first, 1, 8 * 2 ** 20)
  const overlap = whole(`${what} overlap`, second, 0)
  if (overlap * 2 > most)
    throw fault(
      'SIZE_INVALID',
      `${what}: an overlap is at most half of the size: ${overlap} of ${most}`,
    )
  return [most, overlap]
}

function textSize(by: 'sentences' | 'markdown', value: string): Way {
  const [sizeBytes, overlapBytes] = sizeAndOverlap(by, value === '' ? '1000/200' : value)
  if (sizeBytes < 16) throw fault('SIZE_INVALID', `${by}: a size is at least 16 bytes`)
  return { by, sizeBytes, overlapBytes }
}

function separatorByte(text: string | undefined): number {
  if (text === undefined) return newline
  const bytes = Buffer.from(withEscapes(text))
  if (bytes.length === 1) return bytes[0] as number
  throw fault('PATTERN_INVALID', `separator: expected one byte or \\0, not "${shown(text)}"`)
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  '\\': '\\',
}

/** Puts characters in the place of `\n`, `\r`, `\t`, `\0` and `\\`. */
function withEscapes(text: string): string {
  return text.replace(/\\([nrt0\\])/g, (_, letter: string) => escapes[letter] ?? letter)
}

/** Reads `/source/flags`, or the source alone. Without a flag u, patterns see bytes. */
function parsePattern(text: string): { source: string; flags: string } {
  const match = /^\/([\s\S]+)\/([a-z]*)$/.exec(text)
  const source = match?.[1] ?? text
  const asked = match?.[2] ?? ''
  if (source === '' || source.length > 4_096)
    throw fault('PATTERN_INVALID', 'a pattern has 1 to 4,096 characters')
  if (!/^[imsuv]*$/.test(asked))
    throw fault('PATTERN_INVALID', `flags of a pattern are i, m, s, u and v, not "${shown(asked)}"`)
  const isWide = /[^\x20-\x7f\s]/.test(source)
  const flags = isWide && !/[uv]/.test(asked) ? `${asked}u` : asked
  try {
    new RegExp(source, flags)
  } catch (cause) {
    throw fault('PATTERN_INVALID', (cause as Error).message.slice(0, 200), { cause })
  }
  return { source, flags }
}

function parseCdc(
  value: string,
  { level: levelText = '2', seed: seedText = '0' }: WayOptions,
): Way {
  const parts = (value === '' ? '8KiB/16KiB/64KiB' : value).split('/')
  const sizes = parts.map((part) => size('cdc', part.trim(), pieceBytesMax))
  const [first = 0, second = 0, third = 0] = sizes
  const [minBytes, avgBytes, maxBytes] =
    sizes.length === 1 ? [Math.floor(first / 4), first, first * 4] : [first, second, third]
  if (sizes.length !== 1 && sizes.length !== 3)
    throw fault('SIZE_INVALID', 'cdc: expected least/average/most, as 8KiB/16KiB/64KiB')
  if (minBytes < 64 || minBytes > avgBytes || avgBytes > maxBytes || maxBytes > pieceBytesMax)
    throw fault(
      'SIZE_INVALID',
      `cdc: sizes grow from at least 64 to at most ${pieceBytesMax} bytes, not ${minBytes}/${avgBytes}/${maxBytes}`,
    )
  const level = whole('level', levelText, 0, 3)
  const seed = /^\d{1,20}$/.test(seedText) ? BigInt(seedText) : -1n
  if (seed < 0n || seed >= 2n ** 64n)
    throw fault('SIZE_INVALID', 'seed: expected a whole number of 64 bits')
  checkMasks({ minBytes, avgBytes, maxBytes, level, seed })
  return { by: 'cdc', minBytes, avgBytes, maxBytes, level, seed: String(seed) }
}

function checkMasks(options: Parameters<typeof masksOf>[0]): void {
  try {
    masksOf(options)
  } catch (cause) {
    throw fault('SIZE_INVALID', `cdc: an average of ${options.avgBytes} bytes has no mask`, {
      cause,
    })
  }
}
