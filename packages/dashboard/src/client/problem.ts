/** What is known of a problem beside its words. */
interface Cause extends ErrorOptions {
  /** The server's code, or `UNREACHABLE`. */
  readonly code: string
  /** HTTP status; 0 when no answer came. */
  readonly status: number
}

/** What a call failed with, as the server told it (problem+json). */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: string
  readonly status: number

  constructor(message: string, { code, status, ...options }: Cause) {
    super(message, options)
    this.code = code
    this.status = status
  }
}

/** Returns the problem that an answer with status 400 or more tells of. */
export function problemOf(status: number, body: string): Problem {
  const { code, detail, title, message } = parsed(body)
  const told = text(detail) ?? text(message) ?? text(title) ?? plain(body)
  return new Problem(told ?? `the answer was ${status}`, {
    code: text(code) ?? `HTTP_${status}`,
    status,
  })
}

/** Returns the words for people of anything that was thrown. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    // Not JSON: what it is, is looked at as text.
    return {}
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Bare text of a few words is told as it is; a page of HTML is not. */
function plain(body: string): string | undefined {
  return body.length > 0 && body.length < 300 && !body.startsWith('<') ? body : undefined
}
