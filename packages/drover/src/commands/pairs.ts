import { fault } from '../errors.ts'

/** Returns the two sides of `name=value`. Throws USAGE that names `option`. */
export function readPair(option: string, pair: string): [name: string, value: string] {
  const at = pair.indexOf('=')
  if (at < 1) throw fault('USAGE', `${option}: expected name=value, not "${pair}"`)
  return [pair.slice(0, at), pair.slice(at + 1)]
}

/** Returns the number that `text` writes; a text that is none stays one, for a schema to refuse. */
export function numberOr(text: string): number | string {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
