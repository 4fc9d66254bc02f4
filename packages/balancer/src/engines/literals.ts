/** Returns a PCRE that matches `text` itself; only letters, digits and `/_-` stand for themselves. */
export function literalPattern(text: string): string {
  return [...text].map((char) => (/[A-Za-z0-9/_-]/.test(char) ? char : `\\x${hex(char)}`)).join('')
}

/** Returns a PCRE for the paths that have `prefix`: the prefix itself, or going on after a slash. */
export function prefixPattern(prefix: string): string {
  if (prefix === '/') return '^/'
  return prefix.endsWith('/') ? `^${literalPattern(prefix)}` : `^${literalPattern(prefix)}(?:/|$)`
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(2, '0')
}
