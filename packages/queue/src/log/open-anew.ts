import { type Clock, describeError, type Log } from '@drover/kernel'

/** A store that is to be opened again after its disk failed. */
export interface OpeningAnew {
  readonly clock: Clock
  readonly log: Log
  /** Nothing is opened any more once it is aborted. */
  readonly signal: AbortSignal
  /** What is logged when the disk refuses again. */
  readonly stillFails: string
  readonly open: () => Promise<void>
}

const waitsMs = { first: 100, most: 10_000 } as const

/** Resolves when `open` has come through, tried after waits that double, or there is no need any more. */
export async function openAnew({ clock, log, signal, ...how }: OpeningAnew): Promise<void> {
  for (let waitMs: number = waitsMs.first; ; waitMs = Math.min(waitsMs.most, waitMs * 2)) {
    await clock.sleep(waitMs, signal).catch(() => {})
    if (signal.aborted) return
    try {
      await how.open()
      return
    } catch (error) {
      log.error({ cause: describeError(error) }, how.stillFails)
    }
  }
}
