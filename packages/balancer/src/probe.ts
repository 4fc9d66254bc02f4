import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import type { Clock } from '@drover/kernel'
import type { CheckModel } from './model.ts'

/** How one check of a replica ended. */
export type ProbeResult =
  | { readonly kind: 'passed'; readonly tookMs: number }
  | {
      readonly kind: 'failed'
      readonly reason: string
      /** Nobody listens on the port. */
      readonly closed: boolean
    }

/** Checks once whether the replica at `host:port` is well; never rejects. */
export type Probe = (
  target: { readonly host: string; readonly port: number },
  check: CheckModel,
  signal: AbortSignal,
) => Promise<ProbeResult>

/** An answer's body is read up to here, so that an honest replica is not cut off, and no further. */
const bodyBytesMax = 64 * 1024

/**
 * Returns the probe that asks over the network: each time a new connection, so that a replica which
 * accepts no more of them is found out. Redirects are not followed.
 */
export function createProbe(clock: Clock): Probe {
  return async (target, check, signal) => {
    const fromMs = clock.monotonic()
    const late = new AbortController()
    const cancel = clock.after(check.timeoutMs, () => late.abort())
    try {
      const either = AbortSignal.any([signal, late.signal])
      if (check.kind === 'tcp') await connectOnce(target, either)
      else await ask(target, check, either)
      return { kind: 'passed', tookMs: clock.monotonic() - fromMs }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (isAbort(error)) return failed(`no answer within ${check.timeoutMs} ms`)
      return failed(message || (code ?? 'unknown'), code === 'ECONNREFUSED')
    } finally {
      cancel()
    }
  }
}

function failed(reason: string, closed = false): ProbeResult {
  return { kind: 'failed', reason, closed }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function connectOnce(
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port })
    const stop = () => socket.destroy(new DOMException('stopped', 'AbortError'))
    signal.addEventListener('abort', stop, { once: true })
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
    socket.once('close', () => signal.removeEventListener('abort', stop))
  })
}

/** Asks for the check's path; rejects unless the status is one that passes. */
function ask(
  target: { readonly host: string; readonly port: number },
  check: CheckModel,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: target.host,
      port: target.port,
      path: check.path,
      headers: {
        'user-agent': 'drover-check',
        ...(check.host === undefined ? {} : { host: check.host }),
      },
      agent: false,
      maxHeaderSize: 16_384,
      signal,
    })
    asked.once('response', (answer) => {
      drain(answer)
      // The status decides; the deadline may still cut a body that does not end.
      const { statusCode = 0 } = answer
      answer.once('close', () => {
        if (passes(check.statuses, statusCode)) resolve()
        else reject(new Error(`status ${statusCode}, expected ${check.statuses.join(' or ')}`))
      })
      asked.off('error', reject)
      asked.on('error', ignore)
    })
    asked.once('error', reject)
    asked.end()
  })
}

/** Reads what comes of an answer's body, to its bound. */
function drain(answer: IncomingMessage): void {
  let bytes = 0
  answer.on('error', ignore)
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bodyBytesMax) answer.destroy()
  })
}

/** A body that breaks off changes nothing: the status has decided already. */
function ignore(): void {}

/** Returns the least and the most status of `200-399` or `204`; undefined when it is neither. */
export function parseStatuses(text: string): readonly [number, number] | undefined {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text)
  if (!match) return undefined
  const least = Number(match[1])
  const most = Number(match[2] ?? match[1])
  return least <= most ? [least, most] : undefined
}

function passes(ranges: readonly string[], status: number): boolean {
  return ranges.some((text) => {
    const range = parseStatuses(text)
    return range !== undefined && status >= range[0] && status <= range[1]
  })
}
