import type { Random } from '@drover/kernel'
import type { KeySource } from '../plan.ts'
import type { RequestHead } from './parsing/request-head.ts'

/** Returns what a hashed policy hashes for this request; an absent value counts as empty text. */
export function requestKey(
  source: KeySource,
  head: RequestHead,
  client: string,
  random: Random,
): string | number {
  switch (source.from) {
    case 'request-id':
      return random.integer(100_000, 999_999)
    case 'client':
      return client
    case 'path':
      return head.path
    case 'query':
      return queryValue(head.target, source.name)
    case 'header':
      return head.header(source.name.toLowerCase()) ?? ''
    case 'cookie':
      return cookieValue(head.header('cookie'), source.name)
  }
}

/** Returns the value of a query parameter as it stands in the target; empty when it is absent. */
function queryValue(target: string, name: string): string {
  const start = target.indexOf('?')
  if (start < 0) return ''
  for (const pair of target.slice(start + 1).split('&'))
    if (pair === name || pair.startsWith(`${name}=`)) return pair.slice(name.length + 1)
  return ''
}

/** Returns the value of a cookie out of a Cookie header; empty when it is absent. */
export function cookieValue(header: string | undefined, name: string): string {
  if (header === undefined) return ''
  for (const pair of header.split(';')) {
    const trimmed = pair.trim()
    if (trimmed.startsWith(`${name}=`)) return trimmed.slice(name.length + 1)
  }
  return ''
}

/** The key of a TCP connection: it has nothing but its client to go by. */
export function requestKeyOfClient(
  source: KeySource,
  client: string,
  random: Random,
): string | number {
  return source.from === 'request-id' ? random.integer(100_000, 999_999) : client
}
