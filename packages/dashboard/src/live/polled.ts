import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { describe } from '../client/problem.ts'
import { readingMs } from '../options.ts'

/** What is read again and again. */
export interface Polled<Value> {
  /** The last that was read; it stays while later readings fail. */
  readonly value: Value | undefined
  /** Why the last reading failed, in words. */
  readonly problem: string | undefined
  /** Reads now: something was just changed. */
  readonly refresh: () => Promise<void>
}

/**
 * Reads by `read` now, then every two seconds while the page is seen, and anew when `key` changes. A
 * reading that was overtaken by a later one is dropped.
 */
export function usePolled<Value>(key: string, read: () => Promise<Value>): Polled<Value> {
  const [found, setFound] = useState<{ key: string; value?: Value; problem?: string }>({ key })
  const latest = useRef(read)
  latest.current = read
  const turn = useRef(0)
  const open = useRef(0)
  const refresh = useCallback(async () => {
    const own = ++turn.current
    open.current++
    try {
      const value = await latest.current()
      if (own === turn.current) setFound({ key, value })
    } catch (problem) {
      if (own !== turn.current) return
      setFound((before) => ({
        ...(before.key === key ? before : { key }),
        problem: describe(problem),
      }))
    } finally {
      open.current--
    }
  }, [key])
  useEffect(() => {
    void refresh()
    // A slow server is not asked again before it has answered.
    const timer = setInterval(
      () => document.hidden || open.current > 0 || void refresh(),
      readingMs,
    )
    return () => {
      clearInterval(timer)
      turn.current++
    }
  }, [refresh])
  const own = found.key === key ? found : undefined
  return { value: own?.value, problem: own?.problem, refresh }
}
