import type { Clock } from '@drover/kernel'

/** The waits between two tries, in ms. */
const [firstMs, mostMs] = [50, 1_000]

/**
 * Returns what `call` resolves to, trying again while it fails in a way that `passes`, and throws its
 * last error after `patienceMs`.
 */
export async function patiently<Result>(
  call: () => Promise<Result>,
  passes: (error: unknown) => boolean,
  patienceMs: number,
  clock: Clock,
): Promise<Result> {
  const endsAtMs = clock.monotonic() + patienceMs
  for (let waitMs = firstMs; ; waitMs = Math.min(mostMs, waitMs * 2)) {
    try {
      return await call()
    } catch (error) {
      if (!passes(error) || clock.monotonic() + waitMs > endsAtMs) throw error
    }
    await clock.sleep(waitMs)
  }
}
