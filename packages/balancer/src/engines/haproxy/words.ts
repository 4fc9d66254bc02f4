/** Returns `text`, which must be one line, as one word of HAProxy's configuration. */
export function word(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Returns `text` where HAProxy fills in `%[...]`, so that nothing of it is taken for that. */
export function literal(text: string): string {
  return text.replaceAll('%', '%%')
}

/** Returns a section: its head, its lines moved in. */
export function section(head: string, lines: readonly string[]): string[] {
  return [head, ...lines.map((line) => `  ${line}`), '']
}
