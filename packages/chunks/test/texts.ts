import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '@drover/kernel'

const texts = join(import.meta.dirname, '..', '..', '..', '..', 'examples', 'texts')

/** A part of a real book: quotes, figures, Greek letters, words divided by nothing. */
export const book = readFileSync(join(texts, 'opticks.txt'))

/** The words of the book, each with its count, in four columns. */
export const wordList = readFileSync(join(texts, 'word-list.txt'))

const dictionary = [...wordList.toString().matchAll(/^\d+\t(\S+)/gm)].map(([, word]) => word ?? '')

/** Returns about `bytes` of English-like text: sentences and paragraphs of the book's words. */
export function makeText(bytes: number, seed = 1): string {
  const random = seededRandom(seed)
  const parts: string[] = []
  for (let length = 0; length < bytes; ) {
    const count = random.integer(3, 25)
    const sentence = Array.from({ length: count }, () => random.pick(dictionary)).join(' ')
    const end = `${random.pick(['.', '!', '?'])}${random.integer(0, 6) === 0 ? '\n\n' : ' '}`
    parts.push(`${sentence[0]?.toUpperCase()}${sentence.slice(1)}${end}`)
    length += sentence.length + end.length
  }
  return parts.join('')
}
