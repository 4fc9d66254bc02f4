import type { Client } from './herd-api.ts'

/** Who moved, and who is gone. */
export interface ClientsNews {
  readonly clients: readonly Client[]
  readonly gone: readonly string[]
}

/** Returns the clients after those that moved and those that are gone. */
export function withNews(
  before: ReadonlyMap<string, Client>,
  { clients, gone }: ClientsNews,
): ReadonlyMap<string, Client> {
  const after = new Map(before)
  for (const client of clients) after.set(client.client, client)
  for (const id of gone) after.delete(id)
  return after
}
