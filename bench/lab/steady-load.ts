import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Calls `send` for `rate` messages a second, in a burst for each millisecond, with the time in ms when
 * the burst was due: a late sender counts against what is measured. Never waits for what `send` does.
 */
export async function sendSteadily(
  rate: number,
  count: number,
  send: (dueMs: number) => void,
): Promise<void> {
  const startedAt = Math.ceil(performance.now())
  for (let sent = 0; sent < count; ) {
    const passedMs = Math.floor(performance.now() - startedAt)
    for (; sent < Math.min(count, (passedMs * rate) / 1_000); sent++)
      send(startedAt + Math.ceil(((sent + 1) * 1_000) / rate))
    await sleep(1)
  }
}
