import { type Output, outputs } from '../../archives/write-archive.ts'
import { fault } from '../../errors.ts'
import { checkName } from '../../names.ts'
import { type InputForm, parseInput } from '../../source/input.ts'
import { parseWay, unknown } from '../../way/parse-way.ts'
import type { Wish } from '../front.ts'

/** Words that came with an upload: fields of a form, a query, or metadata of tus. */
export type Fields = Readonly<Record<string, string | undefined>>

/**
 * Reads what is wanted of an upload: `by` (or `chunk`, letters only), `as`, `name`, `input`, `encoding`
 * and the options of the way. Nothing means the whole alphabet. Throws what parsing may throw.
 */
export function readWish(fields: Fields, fileName: string): { wish: Wish; form: InputForm } {
  for (const [key, value] of Object.entries(fields))
    if (value !== undefined && typeof value !== 'string')
      throw fault('WAY_UNKNOWN', `"${key.slice(0, 40)}" is said more than once`)
  const { by = `letters ${fields.chunk ?? ''}`, as = 'zip', name = fileName } = fields
  const output = outputs.find((known) => known === as)
  if (output === undefined) throw unknown('output', as.slice(0, 40), outputs)
  const way = parseWay(by, {
    linesWhole: isYes(fields['lines-whole']),
    dealt: isYes(fields.dealt),
    header: isYes(fields.header),
    ...given('separator', fields.separator),
    ...given('keep', fields.keep),
    ...given('format', fields.format),
    ...given('comma', fields.comma),
    ...given('level', fields.level),
    ...given('seed', fields.seed),
    ...given('list', fields.list),
  })
  const form = parseInput(blank(fields.input), blank(fields.encoding))
  return {
    wish: { name: checkName(name), by: by.trim(), way, output: output satisfies Output },
    form,
  }
}

function isYes(text: string | undefined): boolean {
  return text === 'true' || text === 'yes' || text === '1' || text === 'on'
}

function blank(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

function given<Key extends string>(key: Key, text: string | undefined): { [K in Key]?: string } {
  return (text === undefined || text === '' ? {} : { [key]: text }) as { [K in Key]?: string }
}
