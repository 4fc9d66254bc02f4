import { randomFillSync } from 'node:crypto'
import type { RequestHead } from './parsing/request-head.ts'

const pool = Buffer.alloc(4_096)
let digits = ''
let at = 0

/** Returns `count` random hexadecimal digits. Drawn from a pool: one system call for 80 requests. */
export function randomHex(count: number): string {
  if (at + count > digits.length) {
    digits = randomFillSync(pool).toString('hex')
    at = 0
  }
  at += count
  return digits.slice(at - count, at)
}

/**
 * Makes X-Request-Id and traceparent (W3C Trace Context) where the client sent none; those that it
 * sent stay among the other lines. `sampleShare` of the traces that begin here are marked as sampled.
 * Returns header lines, and notes what was made in `head`.
 */
export function traceLines(head: RequestHead, sampleShare: number): string {
  if (head.requestId !== '' && head.traceparent !== '') return ''
  const traceId = head.traceparent === '' ? randomHex(32) : head.traceparent.slice(3, 35)
  let lines = ''
  if (head.traceparent === '') {
    const flags = isSampled(traceId, sampleShare) ? '01' : '00'
    head.traceparent = `00-${traceId}-${randomHex(16)}-${flags}`
    head.tracedHere = true
    lines = `traceparent: ${head.traceparent}\r\n`
  }
  if (head.requestId === '') {
    head.requestId = traceId
    lines += `x-request-id: ${traceId}\r\n`
  }
  return lines
}

/** By the id itself, so that everybody who samples the same share chooses the same traces. */
function isSampled(traceId: string, share: number): boolean {
  return share > 0 && Number.parseInt(traceId.slice(-8), 16) < share * 2 ** 32
}
