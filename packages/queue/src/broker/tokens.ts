import { fault } from '../errors.ts'

/** What a token names. */
export interface Handout {
  /** The partition's number. */
  readonly id: number
  readonly offset: number
  readonly attempt: number
  /** Drawn by the broker each time it opens: a power cut may undo a lease, and with it its attempt. */
  readonly mark: number
  readonly group: string
}

export function formatToken({ id, offset, attempt, mark, group }: Handout): string {
  return `${id}.${offset}.${attempt}-${mark}.${group}`
}

/** Throws TOKEN_INVALID. */
export function parseToken(token: string): Handout {
  const match = /^(\d{1,15})\.(\d{1,15})\.(\d{1,10})(?:-(\d{1,10}))?\.(.{1,249})$/.exec(token)
  if (!match) throw fault('TOKEN_INVALID', `"${token.slice(0, 60)}" is no token of a lease`)
  const [id, offset, attempt] = match.slice(1, 4).map(Number) as [number, number, number]
  // Tokens of earlier versions had no mark.
  return { id, offset, attempt, mark: Number(match[4] ?? 0), group: match[5] ?? '' }
}
