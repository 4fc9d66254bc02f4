import { Type } from '@drover/kernel'

/** A duration as text, `500ms` or `5s`; with what it is for and its default. */
export function duration(description: string, initialMs: number) {
  return Type.String({
    pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$',
    description: `a duration such as 500ms, 5s or 2m: ${description}`,
    default: durationText(initialMs),
  })
}

/** A size in bytes as text, `64KiB`; with what it is for and its default. */
export function size(description: string, initialBytes: number) {
  return Type.String({
    pattern: '^\\d+(\\.\\d+)?\\s*(B|kB|MB|GB|KiB|MiB|GiB|TiB)?$',
    description: `a size such as 64KiB or 8MB: ${description}`,
    default: sizeText(initialBytes),
  })
}

/** What `parseAddress` takes; the long end holds a port to 65535. */
const addressPattern = [
  '^((\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]\\s]*):)?',
  '(\\d{1,4}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])$',
].join('')

/** An address that something listens on or connects to. */
export function address(description: string) {
  return Type.String({
    pattern: addressPattern,
    description: `an address such as 127.0.0.1:8080, :8080 or 8080: ${description}`,
  })
}

/** One of a few words; the refusal of another names the nearest. */
export function oneOf<const Word extends string>(
  words: readonly Word[],
  description: string,
  initial?: Word,
) {
  return Type.Unsafe<Word>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      { description, ...(initial === undefined ? {} : { default: initial }) },
    ),
  )
}

/** A whole number within bounds, with its default. */
export function count(description: string, least: number, most: number, initial: number) {
  return Type.Integer({ minimum: least, maximum: most, description, default: initial })
}

/** Options of an object that takes no other keys and is filled with its defaults when absent. */
export const group = { additionalProperties: false, default: {} }

/** Returns the shortest text that `parseDuration` reads as `durationMs`: `1500ms`, `2s`, `5m`. */
function durationText(durationMs: number): string {
  const units = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const
  const unit = units.find(([, unitMs]) => durationMs > 0 && durationMs % unitMs === 0)
  return unit ? `${durationMs / unit[1]}${unit[0]}` : `${durationMs}ms`
}

/** Returns the shortest text that `parseSize` reads as `bytes`: `512`, `16KiB`, `1MiB`. */
function sizeText(bytes: number): string {
  const units = [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const
  const unit = units.find(([, unitBytes]) => bytes > 0 && bytes % unitBytes === 0)
  return unit ? `${bytes / unit[1]}${unit[0]}` : String(bytes)
}
