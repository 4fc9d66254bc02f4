import type { Forwarding } from './forwarding.ts'
import type { RequestHead } from './parsing/request-head.ts'
import { stripPrefix } from './router.ts'
import { traceLines } from './trace.ts'

/**
 * Returns the head of the request to the replica. Framing is always written anew from what was
 * understood; everything hop-by-hop was dropped when the head was read.
 */
export function requestText(
  head: RequestHead,
  forwarding: Forwarding,
  prefix: string | undefined,
  sampleShare: number,
): string {
  const target = prefix === undefined ? head.target : stripPrefix(head.target, prefix)
  let text = `${head.method} ${target} HTTP/1.1\r\nhost: ${head.host}\r\n`
  text += head.lines + forwarding.lines(head) + traceLines(head, sampleShare)
  if (head.contentLength > 0) text += `content-length: ${head.contentLength}\r\n`
  else if (head.contentLength < 0) text += 'transfer-encoding: chunked\r\n'
  else if (head.method === 'POST' || head.method === 'PUT' || head.method === 'PATCH')
    text += 'content-length: 0\r\n'
  if (head.expectContinue) text += 'expect: 100-continue\r\n'
  if (head.upgrade !== '') text += `connection: upgrade\r\nupgrade: ${head.upgrade}\r\n`
  return `${text}\r\n`
}
