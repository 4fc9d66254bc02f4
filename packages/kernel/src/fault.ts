/** What a caller should do after a failure. */
export type Retry = 'now' | 'later' | 'never'

/** One row of a package's fault table. */
export interface FaultRow {
  /** HTTP status when the failure crosses the wire. */
  readonly status: number
  readonly retry: Retry
}

/**
 * A failure the system expects and can name. Programmer mistakes are not
 * faults: they throw `TypeError` or `RangeError` and are never caught.
 */
export class Fault<Code extends string = string> extends Error {
  override readonly name = 'Fault'
  readonly code: Code
  readonly status: number
  readonly retry: Retry

  constructor(code: Code, row: FaultRow, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = row.status
    this.retry = row.retry
  }
}

/** Throws nothing itself: makes the fault that the caller throws. */
export type MakeFault<Code extends string> = (
  code: Code,
  message: string,
  options?: ErrorOptions,
) => Fault<Code>

/**
 * Turns a package's fault table into the one function that package throws with.
 *
 * ```ts
 * export const fault = faults({ LEASE_EXPIRED: { status: 409, retry: 'never' } })
 * throw fault('LEASE_EXPIRED', `lease ${id} ended ${ms} ms ago`, { cause })
 * ```
 */
export function faults<const Table extends Record<string, FaultRow>>(
  table: Table,
): MakeFault<keyof Table & string> {
  return (code, message, options) => {
    const row = table[code]
    if (!row) throw new RangeError(`unknown fault code ${code}`)
    return new Fault(code, row, message, options)
  }
}

/** The body of `application/problem+json` (RFC 9457) that carries a fault over HTTP. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly retry: Retry
}

/** Returns the problem document of a fault. The cause stays inside: it may hold secrets. */
export function toProblem(fault: Fault): Problem {
  return {
    type: `urn:drover:fault:${fault.code}`,
    title: fault.code.toLowerCase().replaceAll('_', ' '),
    status: fault.status,
    code: fault.code,
    detail: fault.message,
    retry: fault.retry,
  }
}

/** Rebuilds the fault that a server answered with; undefined when `body` is no problem of ours. */
export function fromProblem(body: unknown): Fault | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { code, status, detail, retry } = body as Partial<Problem>
  if (typeof code !== 'string' || typeof status !== 'number') return undefined
  const known = retry === 'now' || retry === 'later' ? retry : 'never'
  return new Fault(code, { status, retry: known }, detail ?? code)
}

/** Returns the text of anything that was thrown, with its causes, for a log line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error instanceof Fault ? `${error.code}: ${error.message}` : error.message
  return error.cause === undefined ? own : `${own} (${describeError(error.cause)})`
}
