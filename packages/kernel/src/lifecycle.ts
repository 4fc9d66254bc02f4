import type { Clock } from './clock.ts'
import { fault } from './errors.ts'

/** Everything that lives long. Both calls may be repeated; a second `stop` awaits the first. */
export interface Service {
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts `services` in order. When one fails, those already up are stopped again in reverse
 * order, and its error is thrown.
 */
export async function startAll(services: readonly Service[]): Promise<void> {
  const up: Service[] = []
  for (const service of services) {
    try {
      up.push(service)
      await service.start()
    } catch (error) {
      await stopAll(up)
      throw error
    }
  }
}

/** Stops `services` in reverse order. Every one is tried; their errors come together at the end. */
export async function stopAll(services: readonly Pick<Service, 'stop'>[]): Promise<void> {
  const errors: unknown[] = []
  for (const service of services.toReversed()) {
    try {
      await service.stop()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} parts failed to stop`)
}

/**
 * Returns what `work` resolves to, or throws DEADLINE_PASSED after `deadlineMs`; `what` names the
 * work in the message. The work itself goes on: pass it a signal if it should not.
 */
export async function withDeadline<Result>(
  what: string,
  deadlineMs: number,
  clock: Clock,
  work: Promise<Result>,
): Promise<Result> {
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(deadlineMs, () =>
      reject(fault('DEADLINE_PASSED', `${what} took longer than ${deadlineMs} ms`)),
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}
