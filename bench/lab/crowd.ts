import type { LoadResult } from '../load.ts'
import { runLoad } from '../load.ts'
import { until } from './until.ts'

/** What peers/replica.js says of itself. */
export interface Who {
  readonly id: string
  readonly pid: number
  readonly port: number
}

/** Load that runs on beside a measurement, and knows who answered. */
export interface Crowd {
  /** Every process that answered so far, and when it did first, in ms of `performance.now()`. */
  readonly firstSeenMs: ReadonlyMap<number, number>
  /** Ends the load and returns what became of it. */
  stop(): Promise<LoadResult>
}

/** Begins load on a door over replicas of peers/replica.js; `saw` is told each answer. */
export function startCrowd(
  load: { url: string; connections: number; ratePerSecond?: number },
  saw: (who: Who) => void = () => {},
): Crowd {
  const firstSeenMs = new Map<number, number>()
  const controller = new AbortController()
  const result = runLoad({
    ...load,
    durationMs: 600_000,
    signal: controller.signal,
    onAnswer({ status, body }) {
      if (status !== 200) return
      const who = JSON.parse(body.toString()) as Who
      if (!firstSeenMs.has(who.pid)) firstSeenMs.set(who.pid, performance.now())
      saw(who)
    },
  })
  return {
    firstSeenMs,
    stop() {
      controller.abort()
      return result
    },
  }
}

/** Waits until `count` different replicas have answered at `url`. */
export async function untilReplicasAnswer(url: string, count: number): Promise<void> {
  const seen = new Set<number>()
  await until(`${count} replicas answer`, async () => {
    await runLoad({
      url,
      connections: 4,
      requests: 4 * count,
      onAnswer({ status, body }) {
        if (status === 200) seen.add((JSON.parse(body.toString()) as Who).pid)
      },
    })
    return seen.size >= count
  })
}

/** Requests that got no 200, whether failed or answered otherwise. */
export function lostOf({ sent, byStatus }: LoadResult): number {
  return sent - (byStatus[200] ?? 0)
}

/** Says how requests ended that were lost, as `3 × 502, 1 × no answer in time`. */
export function lossesOf({ byStatus, failed }: LoadResult): string {
  const others = Object.entries(byStatus).filter(([status]) => status !== '200')
  return [...others, ...Object.entries(failed)]
    .map(([what, count]) => `${count} × ${what}`)
    .join(', ')
}
