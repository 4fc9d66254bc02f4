import { fault } from '../errors.ts'
import { groupsMax } from '../options.ts'

/** One chunk of words: those that begin with one of its letters. */
export interface LetterSet {
  /** As it is called: `a-c`, `d`, `acd`. */
  readonly name: string
  /** Its letters, lower case, each once, in order of the alphabet. */
  readonly letters: string
}

export const alphabet = 'abcdefghijklmnopqrstuvwxyz'

const allowed =
  'allowed are a range a-c, a letter a, a set acd, several with commas a-c,d-z, or nothing for a-z'

/**
 * Reads chunks of first letters: `a-c`, `d`, `acd`, `a-c,d-z`. Case does not matter, a reversed range
 * is turned round, nothing means the whole alphabet. Throws LETTERS_INVALID, which says what is allowed.
 */
export function parseLetters(text: string): readonly LetterSet[] {
  const trimmed = text.trim().toLowerCase()
  if (trimmed === '') return [{ name: 'a-z', letters: alphabet }]
  const sets = trimmed.split(',').map((part) => parseSet(part.trim(), text))
  if (sets.length > groupsMax)
    throw fault('CHUNKS_TOO_MANY', `${sets.length} letter chunks; at most ${groupsMax}`)
  return sets
}

function parseSet(part: string, whole: string): LetterSet {
  const range = /^([a-z])\s*-\s*([a-z])$/.exec(part)
  if (range) {
    const [first = '', last = ''] = [range[1], range[2]].sort()
    const letters = alphabet.slice(alphabet.indexOf(first), alphabet.indexOf(last) + 1)
    return { name: first === last ? first : `${first}-${last}`, letters }
  }
  if (!/^[a-z]+$/.test(part))
    throw fault('LETTERS_INVALID', `"${whole.slice(0, 80)}" is no chunk of letters; ${allowed}`)
  const letters = [...new Set(part)].sort().join('')
  return { name: letters, letters }
}

/** Returns for each of the 26 letters the numbers of the chunks that have it. */
export function chunksOfLetters(sets: readonly LetterSet[]): readonly (readonly number[])[] {
  return [...alphabet].map((letter) =>
    sets.flatMap(({ letters }, index) => (letters.includes(letter) ? [index] : [])),
  )
}
