import { readFileSync } from 'node:fs'
import { seededRandom } from '@drover/kernel'

/** Words to make texts of: those of the system's dictionary where there is one. */
function dictionary(): string[] {
  const own =
    'a book chases dusk élan for golden hours in just kind lands until night naïve over quiet'
  try {
    return readFileSync('/usr/share/dict/words', 'utf8').trim().split('\n')
  } catch {
    // A machine without a dictionary gets a poorer text.
    return own.split(' ')
  }
}

/** Returns about `bytes` of English-like text: sentences and paragraphs of dictionary words. */
export function makeText(bytes: number, seed = 1): string {
  const random = seededRandom(seed)
  const words = dictionary()
  const parts: string[] = []
  for (let length = 0; length < bytes; ) {
    const count = random.integer(3, 25)
    const sentence = Array.from({ length: count }, () => random.pick(words)).join(' ')
    const end = `${random.pick(['.', '!', '?'])}${random.integer(0, 6) === 0 ? '\n\n' : ' '}`
    parts.push(`${sentence[0]?.toUpperCase()}${sentence.slice(1)}${end}`)
    length += sentence.length + end.length
  }
  return parts.join('')
}
