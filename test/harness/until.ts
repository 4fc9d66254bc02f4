import { setTimeout as sleep } from 'node:timers/promises'

/** Returns what `probe` returns as soon as it is true, or throws after `deadlineMs`. */
export async function until<Value>(
  what: string,
  probe: () => Value | Promise<Value>,
  deadlineMs = 20_000,
): Promise<Exclude<Value, false | undefined | null>> {
  const endsAt = performance.now() + deadlineMs
  for (;;) {
    const value = await probe()
    if (value) return value as Exclude<Value, false | undefined | null>
    if (performance.now() > endsAt) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await sleep(20)
  }
}
