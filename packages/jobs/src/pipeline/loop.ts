import {
  backoffMs,
  type Clock,
  describeError,
  type Log,
  type Random,
  type Service,
} from '@drover/kernel'

/** What a loop is, beside its step. */
export interface LoopOptions {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** How long a loop rests after a failure: at first, and at most. */
const rest = { firstMs: 100, mostMs: 5_000 }

/**
 * Returns a service that calls `step` again and again until it is stopped. A step that fails is
 * logged, and the loop rests a while, longer each time. `stop` aborts the signal and awaits the step.
 */
export function createLoop(
  options: LoopOptions,
  step: (signal: AbortSignal) => Promise<void>,
): Service {
  const { name, clock, random, log } = options
  const control = new AbortController()
  const { signal } = control
  let running: Promise<void> | undefined

  const run = async () => {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await step(signal)
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        log.warn({ cause: describeError(error) }, `the ${name} could not go on; it tries again`)
        await pause(clock, rest.firstMs + backoffMs(failures++, rest, random), signal)
      }
    }
  }
  return {
    async start() {
      running ??= run()
    },
    async stop() {
      control.abort(new Error(`the ${name} is stopping`))
      await running
    },
  }
}

/** Waits, and returns early when the signal aborts. */
export async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(delayMs, signal).catch(() => {})
}
