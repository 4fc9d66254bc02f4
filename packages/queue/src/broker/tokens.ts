import { fault } from '../errors.ts'

/** Names one handing out: partition, offset, attempt, group. */
export function formatToken(id: number, offset: number, attempt: number, group: string): string {
  return `${id}.${offset}.${attempt}.${group}`
}

/** Throws TOKEN_INVALID. */
export function parseToken(token: string) {
  const match = /^(\d{1,15})\.(\d{1,15})\.(\d{1,10})\.(.{1,249})$/.exec(token)
  if (!match) throw fault('TOKEN_INVALID', `"${token.slice(0, 60)}" is no token of a lease`)
  const [id, offset, attempt] = match.slice(1, 4).map(Number) as [number, number, number]
  return { id, offset, attempt, group: match[4] ?? '' }
}
