import type { Cancel, Clock } from '@drover/kernel'

/** How often the pace of a sender is looked at, in ms, and the least that must have come meanwhile. */
const paceMs = 60_000
const paceBytes = 6_000

/**
 * Calls `crawls` when less than 6,000 bytes came within a minute, unless that was `isOurs`: we did not
 * read. Returns what ends the watch.
 */
export function watchPace(
  clock: Clock,
  look: () => { readonly bytes: number; readonly isOurs: boolean },
  crawls: () => void,
): Cancel {
  let seen = 0
  return clock.every(paceMs, () => {
    const { bytes, isOurs } = look()
    if (bytes - seen < paceBytes && !isOurs) crawls()
    seen = bytes
  })
}
