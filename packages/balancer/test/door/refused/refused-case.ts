/** A request that the door must refuse, and the words of the rule that it breaks. */
export interface RefusedCase {
  readonly name: string
  /** Bytes as latin1 text. */
  readonly send: string
  readonly status: number
  readonly reason: string
}

/** Returns a refused case; its status is 400 unless told otherwise. */
export function refused(name: string, send: string, reason: string, status = 400): RefusedCase {
  return { name, send, status, reason }
}

/** Returns a GET with the given header lines behind its Host. */
export function get(...lines: readonly string[]): string {
  return `GET /page HTTP/1.1\r\nHost: example.test\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
}

/** Returns a POST with the given header lines behind its Host, and a body as it stands. */
export function post(lines: readonly string[], body: string): string {
  const head = lines.map((line) => `${line}\r\n`).join('')
  return `POST /form HTTP/1.1\r\nHost: example.test\r\n${head}\r\n${body}`
}
