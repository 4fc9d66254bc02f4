import type { FaultBody } from './admin/schemas.ts'

/** A replica is not asked to be later than this, in ms. */
export const faultDelayMsMax = 60_000

/** Holds for a fault that ends the one before. */
export function isNoFault({ delayMs, failShare }: FaultBody): boolean {
  return delayMs === 0 && failShare === 0
}

/** Says what a replica with this fault does: `answers 500 ms late and 50 % with 500, on purpose`. */
export function describeFault(wish: FaultBody): string {
  if (isNoFault(wish)) return 'answers as it should again'
  const { delayMs, failShare, heartbeat } = wish
  const parts = [
    ...(delayMs > 0 ? [`${delayMs} ms late`] : []),
    ...(failShare > 0 ? [`${Math.round(failShare * 1_000) / 10} % with 500`] : []),
  ]
  return `answers ${parts.join(' and ')}, on purpose${heartbeat ? ', its heartbeat too' : ''}`
}
