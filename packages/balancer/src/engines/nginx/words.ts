/** Returns `text` as one word of nginx's configuration, in which nothing is special. */
export function word(text: string): string {
  const escaped = text.replaceAll(/[\\"]/g, '\\$&')
  return `"${escaped}"`
}

/**
 * Returns `text` as one word where nginx fills in variables. nginx has no way to write a dollar sign
 * there, so one is kept in a variable (see `dollarLines`).
 */
export function filledWord(text: string): string {
  return word(text).replaceAll('$', '$'.concat('{drover_dollar}'))
}

/** Declares the variable that holds a dollar sign. */
export const dollarLines = ['geo $drover_dollar {', '  default "$";', '}']

/** Returns a pattern as a key of `map`; it must hold no quote and no backslash but of `\xHH`. */
export function patternWord(pattern: string): string {
  return `"~${pattern}"`
}

/** Returns `ms` as nginx writes times. */
export function time(ms: number): string {
  return `${ms}ms`
}

/** Returns `lines` moved in by one step. */
function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}

/** Returns a block: its head, its lines moved in, its end. */
export function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...indent(lines), '}']
}
