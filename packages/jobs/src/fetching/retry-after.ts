/** The longest wait that a server may ask for, in ms. */
const askedMsMax = 86_400_000

/**
 * Returns the wait in ms that a `retry-after` header asks for (seconds, or a date), at most a day;
 * undefined when there is none that can be understood.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  const dateMs = /^[a-z]/i.test(text) ? Date.parse(text) : Number.NaN
  const asked = /^\d+$/.test(text) ? Number(text) * 1_000 : dateMs - nowMs
  return Number.isNaN(asked) ? undefined : Math.min(askedMsMax, Math.max(0, asked))
}
