import { nearest } from './nearest.ts'

/** One thing that ajv found wrong with a value, as far as it is told on. */
export interface Complaint {
  readonly keyword: string
  /** Where, as `/list/0`; empty for the value itself. */
  readonly instancePath: string
  readonly message?: string
  readonly params: Readonly<Record<string, unknown>>
  /** The schema around what was broken; only with ajv's option `verbose`. */
  readonly parentSchema?: object
}

/** More than these are not told. */
const toldMax = 5

/**
 * Returns what is wrong, as `body/replicas must be integer; body: unknown key "n"`. `what` names the
 * value. Of a choice of constants it tells all, of an unknown key the nearest that there is.
 */
export function describeComplaints(complaints: readonly Complaint[], what: string): string {
  const told = new Set<string>()
  for (const complaint of complaints) {
    // A body of a few MB may have hundreds of thousands, and each costs.
    if (told.size === toldMax) break
    const { keyword, instancePath, message = 'does not fit', params } = complaint
    const where = `${what}${instancePath}`
    if (keyword === 'additionalProperties') told.add(`${where}${unknownKey(complaint)}`)
    else if (keyword === 'const')
      told.add(`${where} must be ${choices(complaints, instancePath).join(', ')}`)
    else if (keyword === 'enum') told.add(`${where} must be ${list(params.allowedValues)}`)
    // The alternatives' own complaints say more.
    else if (keyword !== 'anyOf' || told.size === 0) told.add(`${where} ${message}`)
  }
  return [...told].join('; ').trim()
}

function unknownKey({ params, parentSchema }: Complaint): string {
  const key = String(params.additionalProperty)
  const { properties = {} } = (parentSchema ?? {}) as { properties?: object }
  const near = nearest(key, Object.keys(properties))
  return `: unknown key "${key}"${near === undefined ? '' : `; did you mean "${near}"?`}`
}

function choices(complaints: readonly Complaint[], path: string): unknown[] {
  return complaints
    .filter(({ keyword, instancePath }) => keyword === 'const' && instancePath === path)
    .map(({ params }) => params.allowedValue)
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.join(', ') : String(values)
}
