import { systemClock } from '@drover/kernel'
import { fault } from '../errors.ts'

const everyMs = 10

/**
 * Resolves with what `look` finds, as soon as that is neither undefined nor false; asks every 10 ms. Throws
 * EXPERIMENT_FAILED that names `what` after `mostMs`.
 */
export async function until<Found>(
  what: string,
  mostMs: number,
  look: () => Promise<Found> | Found,
): Promise<Exclude<Found, undefined | false>> {
  const endsAtMs = systemClock.monotonic() + mostMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found as Exclude<Found, undefined | false>
    if (systemClock.monotonic() > endsAtMs)
      throw fault('EXPERIMENT_FAILED', `${what}: not within ${Math.round(mostMs / 1_000)} s`)
    await systemClock.sleep(everyMs)
  }
}
