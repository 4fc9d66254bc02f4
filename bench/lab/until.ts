import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `holds`; throws after `withinMs`, saying what was waited for. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${withinMs} ms`)
    await sleep(10)
  }
}

/** Calls `attempt` until it succeeds, every 200 ms; throws its last error after `withinMs`. */
export async function patiently<Result>(
  attempt: () => Promise<Result>,
  withinMs = 60_000,
): Promise<Result> {
  const deadlineMs = performance.now() + withinMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadlineMs) throw error
      await sleep(200)
    }
  }
}
