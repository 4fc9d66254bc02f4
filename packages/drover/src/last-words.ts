/** Lines of a crashing replica's last output that go with the news. */
const wordsMax = 3

/** Stack frames, brackets, carets and Node's version: what runtimes write below and around an error. */
const noise = /^\s*(at .*|[\^~{}[\]()]*|Node\.js v\d.*|Emitted 'error' event on .*)\s*$/
const error =
  /^(\S*(Error|Exception)\b|(panic|fatal error|fatal|error):|thread '.*' panicked|Exception in thread)/i

/**
 * Returns the lines of a crash that tell most: from its last error on, without stack frames, else the
 * last ones. A runtime says first why it ends, and then where, in more lines than anybody wants.
 */
export function lastWords(lines: readonly string[]): readonly string[] {
  const telling = lines.filter((line) => !noise.test(line))
  const begin = telling.findLastIndex((line) => error.test(line))
  return begin < 0 ? telling.slice(-wordsMax) : telling.slice(begin, begin + wordsMax)
}
