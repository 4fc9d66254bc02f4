import { fault } from '../errors.ts'

/** What /add and /rm are asked for. */
export interface Change {
  /** How many replicas come or go. */
  readonly n: number
  /** Names of the first of them. */
  readonly hostnames: readonly string[]
}

/**
 * Reads the body of /add or /rm: JSON `{"n":2,"hostnames":["S5"]}`, or a form `n=2&hostnames=S5`
 * (`hostnames` may come again); `server_id=S5` alone is one replica of that name. A body that begins with `{`
 * is JSON whatever its type says, because `curl -d` calls everything a form. Throws MANAGE_REFUSED.
 */
export function readChange(body: string): Change {
  const fields = body.trimStart().startsWith('{') ? readJson(body) : readForm(body)
  const { n, hostnames = [], server_id: id } = fields
  if (n === undefined && id !== undefined) return { n: 1, hostnames: readNames([id]) }
  return { n: readCount(n), hostnames: readNames(hostnames) }
}

function readJson(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch (cause) {
    throw fault('MANAGE_REFUSED', `the body is not JSON: ${(cause as Error).message}`, { cause })
  }
  throw fault('MANAGE_REFUSED', 'the body is not a JSON object')
}

function readForm(body: string): Record<string, unknown> {
  const form = new URLSearchParams(body.trim())
  const one = (name: string) => form.get(name) ?? undefined
  const n = one('n')
  const names = [...form.getAll('hostnames'), ...form.getAll('hostnames[]')]
  return {
    n: n !== undefined && /^-?\d+$/.test(n) ? Number(n) : n,
    hostnames: names.filter((name) => name !== ''),
    server_id: one('server_id'),
  }
}

function readCount(n: unknown): number {
  if (typeof n === 'number' && Number.isSafeInteger(n) && n > 0) return n
  if (n === undefined) throw fault('MANAGE_REFUSED', 'n is missing; expected a positive integer')
  throw fault('MANAGE_REFUSED', `n must be a positive integer, not ${shown(n)}`)
}

function readNames(names: unknown): string[] {
  if (!Array.isArray(names))
    throw fault('MANAGE_REFUSED', `hostnames must be a list of names, not ${shown(names)}`)
  for (const name of names) {
    if (typeof name !== 'string')
      throw fault('MANAGE_REFUSED', `hostname ${shown(name)} is not a text`)
    if (name !== name.trim())
      throw fault('MANAGE_REFUSED', `hostname ${shown(name)} begins or ends with a blank`)
  }
  return names as string[]
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
