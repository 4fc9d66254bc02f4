import type { RequestHead } from './parsing/request-head.ts'

/** What one line of the access log tells beside the request itself. */
export interface AccessEntry {
  readonly client: string
  readonly service: string | undefined
  readonly replica: string | undefined
  readonly status: number
  readonly durationMs: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly attempts: number
  readonly trouble: string
}

/** Returns the JSON line of a request that ended at `nowMs` of wall time. */
export function accessLine(head: RequestHead, entry: AccessEntry, nowMs: number): string {
  const { durationMs, ...rest } = entry
  return JSON.stringify({
    time: new Date(nowMs).toISOString(),
    method: head.method,
    host: head.host,
    target: head.target,
    ...rest,
    durationMs: Math.round(durationMs * 1_000) / 1_000,
    requestId: head.requestId,
    traceparent: head.traceparent,
  })
}
