/**
 * Returns the words of a command line: blanks part them, single and double quotes and a backslash
 * keep blanks together. No shell runs, so `|`, `$X` and `*` are ordinary letters. Throws a
 * RangeError when a quote is never closed or there is no word.
 */
export function commandWords(line: string): string[] {
  const words: string[] = []
  const pattern = /\s+|((?:[^\s'"\\]+|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+)|([\s\S])/g
  for (const [, word, stray] of line.matchAll(pattern)) {
    if (stray !== undefined) throw new RangeError(`a ${stray} in "${line}" is never closed`)
    if (word !== undefined) words.push(unquote(word))
  }
  if (words.length === 0) throw new RangeError('the command is empty')
  return words
}

function unquote(word: string): string {
  return word.replace(
    /\\([\s\S])|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"/g,
    (_, escaped?: string, single?: string, double?: string) =>
      escaped ?? single ?? (double ?? '').replace(/\\(["\\])/g, '$1'),
  )
}
