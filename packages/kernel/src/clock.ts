/** Cancels a pending timer; calling it again does nothing. */
export type Cancel = () => void

/** The only way to the time. Everything that waits takes one, so that tests never sleep. */
export interface Clock {
  /** Wall time in milliseconds since 1970. It may jump. */
  now(): number
  /** Milliseconds from an arbitrary start. It never goes back: for durations and deadlines. */
  monotonic(): number
  /** Calls `action` once, `delayMs` from now. A pending timer does not keep the process alive. */
  after(delayMs: number, action: () => void): Cancel
  /** Calls `action` every `intervalMs`, first after one interval. Does not keep the process alive. */
  every(intervalMs: number, action: () => void): Cancel
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs).unref()
    return () => clearTimeout(timer)
  },
  every(intervalMs, action) {
    const timer = setInterval(action, intervalMs).unref()
    return () => clearInterval(timer)
  },
  sleep: (delayMs, signal) =>
    wake((action) => {
      const timer = setTimeout(action, delayMs)
      return () => clearTimeout(timer)
    }, signal),
}

/** Resolves when the timer that `start` starts calls; rejects when the signal aborts first. */
function wake(start: (action: () => void) => Cancel, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = start(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** A clock that moves only when it is told to: the memory twin of `systemClock`. */
export interface ManualClock extends Clock {
  /**
   * Moves on by `byMs`, runs what falls due in order of time, and lets promises settle between
   * two timers.
   */
  advance(byMs: number): Promise<void>
  /** Moves the wall time only, as a jump of the system's clock does. */
  jump(byMs: number): void
  /** How many timers are pending. */
  readonly pending: number
}

interface Timer {
  dueMs: number
  readonly order: number
  readonly intervalMs: number | undefined
  readonly action: () => void
}

/** Returns a manual clock that stands at `startMs` of wall time. */
export function createManualClock(startMs = 0): ManualClock {
  const timers = new Set<Timer>()
  let elapsedMs = 0
  let wallOffsetMs = startMs
  let order = 0

  const add = (delayMs: number, intervalMs: number | undefined, action: () => void): Cancel => {
    const timer = { dueMs: elapsedMs + Math.max(0, delayMs), order: order++, intervalMs, action }
    timers.add(timer)
    return () => timers.delete(timer)
  }
  const earliest = (): Timer | undefined =>
    [...timers].sort((one, other) => one.dueMs - other.dueMs || one.order - other.order)[0]
  const run = (timer: Timer): void => {
    if (timer.intervalMs === undefined) timers.delete(timer)
    else timer.dueMs += Math.max(1, timer.intervalMs)
    timer.action()
  }

  const clock: ManualClock = {
    now: () => wallOffsetMs + elapsedMs,
    monotonic: () => elapsedMs,
    after: (delayMs, action) => add(delayMs, undefined, action),
    every: (intervalMs, action) => add(intervalMs, intervalMs, action),
    sleep: (delayMs, signal) => wake((action) => clock.after(delayMs, action), signal),
    async advance(byMs) {
      const untilMs = elapsedMs + byMs
      await settle()
      for (let next = earliest(); next && next.dueMs <= untilMs; next = earliest()) {
        elapsedMs = Math.max(elapsedMs, next.dueMs)
        run(next)
        await settle()
      }
      elapsedMs = untilMs
    },
    jump(byMs) {
      wallOffsetMs += byMs
    },
    get pending() {
      return timers.size
    },
  }
  return clock
}

/** Lets every promise that can settle without input or output do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
