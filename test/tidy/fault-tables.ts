import { filesWhere } from './files.ts'

/** A row of a package's table of faults. */
export interface FaultRow {
  readonly code: string
  readonly status: string
  readonly retry: string
  readonly meaning: string
}

/** Reads the tables of `packages` from their errors.ts: comment, code, status and retry of each row. */
export function readFaultTables(
  packages: readonly string[],
): ReadonlyMap<string, readonly FaultRow[]> {
  const tables = new Map<string, FaultRow[]>()
  for (const { path, text } of filesWhere((file) =>
    packages.some((name) => file === `packages/${name}/src/errors.ts`),
  )) {
    const table = text.slice(text.indexOf('Faults = {'), text.indexOf('} as const'))
    const rows = /\/\*\*([\s\S]*?)\*\/\s*([A-Z_]+): \{ status: (\d+), retry: '(\w+)' \}/g
    const found = [...table.matchAll(rows)].map(
      ([, comment = '', code = '', status = '', retry = '']) => ({
        code,
        status,
        retry,
        meaning: comment.replace(/\s*\n\s*\*\s*/g, ' ').trim(),
      }),
    )
    tables.set(path.split('/')[1] ?? '', found)
  }
  return tables
}

/** Returns docs/errors.md as it should be. */
export function renderErrors(tables: ReadonlyMap<string, readonly FaultRow[]>): string {
  const parts = [...tables].map(([name, rows]) => {
    const cells = rows.map(({ code, status, retry, meaning }) => [
      `\`${code}\``,
      status,
      retry,
      meaning,
    ])
    return `## ${name}\n\n${renderTable([['code', 'status', 'retry', 'meaning'], ...cells])}`
  })
  return `# Faults

Every failure that Drover expects has a code. Over HTTP it is \`application/problem+json\` with the code, the
status and \`retry\`: \`now\` (try again at once), \`later\` (with a wait) or \`never\` (it will not help). The same
column decides every retry in Drover, and the exit code of the command: never 1 (2 for wrong
input), later 69, now 75.

This page is made from the tables in \`packages/*/src/errors.ts\`; after a change there, write it anew by
\`WRITE_DOCS=1 npm test -- tidy\`.

${parts.join('\n\n')}
`
}

/** Columns as wide as their widest cell, as the formatter wants them. */
function renderTable([heading = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = widths.map((width) => '-'.repeat(width))
  return [line(heading), line(rule), ...rows.map(line)].join('\n')
}
