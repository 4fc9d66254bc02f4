/** Waits until `found` returns something, at most `deadlineMs`. */
export async function until<Found>(
  what: string,
  found: () => Promise<Found | undefined | false> | Found | undefined | false,
  deadlineMs = 30_000,
): Promise<Found> {
  const endsAt = performance.now() + deadlineMs
  for (;;) {
    const result = await found()
    if (result !== undefined && result !== false) return result
    if (performance.now() > endsAt) throw new Error(`${what} did not happen in time`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
