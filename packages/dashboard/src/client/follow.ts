import { reconnectMs } from '../options.ts'
import { send } from './call.ts'
import { Problem } from './problem.ts'
import { createSseParser, type ServerEvent } from './sse.ts'

/** What `follow` is told, and whom it tells. */
export interface Following {
  /** Asked before each connection: path and headers, which may name where to go on. */
  readonly target: () => { readonly path: string; readonly headers?: Record<string, string> }
  readonly onEvent: (event: ServerEvent) => void
  /** The stream is open: what was read before it may be old, so read it again now. */
  readonly onOpen?: () => void
  readonly onLost?: (problem: unknown) => void
}

/**
 * Reads a stream of server-sent events until the returned function is called. A lost stream is opened
 * again after a wait that doubles up to a bound. Unlike EventSource it can send headers, and so the token.
 * While the page is hidden there is no stream: a browser opens six connections to one host, for all tabs.
 */
export function follow(following: Following): () => void {
  const abort = new AbortController()
  void loop(following, abort.signal)
  return () => abort.abort()
}

async function loop(following: Following, signal: AbortSignal): Promise<void> {
  let waitMs: number = reconnectMs.first
  while (!signal.aborted) {
    await whenSeen(signal)
    const hidden = new AbortController()
    const forget = onceHidden(() => hidden.abort())
    try {
      await readStream(following, AbortSignal.any([signal, hidden.signal]), () => {
        waitMs = reconnectMs.first
      })
      following.onLost?.(undefined)
    } catch (problem) {
      if (signal.aborted) return
      following.onLost?.(hidden.signal.aborted ? undefined : problem)
      // What is refused for good is not asked again and again.
      if (problem instanceof Problem && isFinal(problem.status)) return
    } finally {
      forget()
    }
    await pause(waitMs, signal)
    waitMs = Math.min(reconnectMs.most, waitMs * 2)
  }
}

/** Resolves as soon as the page is seen, or the signal aborts. */
function whenSeen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (!document.hidden || signal.aborted) {
      resolve()
      return
    }
    const look = () => {
      if (document.hidden && !signal.aborted) return
      document.removeEventListener('visibilitychange', look)
      signal.removeEventListener('abort', look)
      resolve()
    }
    document.addEventListener('visibilitychange', look)
    signal.addEventListener('abort', look)
  })
}

/** Calls `action` when the page gets hidden, unless it is forgotten before. */
function onceHidden(action: () => void): () => void {
  const look = () => {
    if (document.hidden) action()
  }
  document.addEventListener('visibilitychange', look)
  return () => document.removeEventListener('visibilitychange', look)
}

function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

async function readStream(
  { target, onOpen, onEvent }: Following,
  signal: AbortSignal,
  onFirst: () => void,
): Promise<void> {
  const { path, headers } = target()
  const answer = await send('GET', path, {
    headers: { accept: 'text/event-stream', ...headers },
    signal,
  })
  onOpen?.()
  onFirst()
  const parse = createSseParser()
  const decoder = new TextDecoder()
  const reader = answer.body?.getReader()
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    if (done) return
    for (const event of parse(decoder.decode(value, { stream: true }))) {
      if (signal.aborted) return
      onEvent(event)
    }
  }
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, durationMs)
    signal.addEventListener('abort', end)
  })
}
