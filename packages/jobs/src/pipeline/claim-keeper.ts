import { type Clock, describeError, type Log, type Service } from '@drover/kernel'
import type { ClaimedJob, ClaimStore } from '../store/claim-store.ts'

export interface ClaimKeeperOptions {
  readonly claims: Pick<ClaimStore, 'extend'>
  readonly clock: Clock
  readonly log: Log
  readonly claimMs: number
}

/** One claim that is renewed until it is let go. */
interface KeptClaim {
  /** Aborts when the claim is lost, and when the keeper stops. */
  readonly signal: AbortSignal
  /** It was cancelled, or is somebody else's by now. */
  readonly isLost: boolean
  letGo(): void
}

/** Renews the claims of all jobs that a worker has under way, at one time. */
export interface ClaimKeeper extends Service {
  keep(claimed: ClaimedJob): KeptClaim
}

interface Kept {
  readonly claimed: ClaimedJob
  readonly control: AbortController
  lost: boolean
}

export function createClaimKeeper(options: ClaimKeeperOptions): ClaimKeeper {
  const { claims, clock, log, claimMs } = options
  const all = new Set<Kept>()
  let stopped: Error | undefined
  let cancel = () => {}

  const renew = async (kept: Kept) => {
    try {
      if (await claims.extend(kept.claimed, claimMs)) return
      kept.lost = true
      kept.control.abort(new Error('the claim is lost'))
    } catch (error) {
      log.warn({ cause: describeError(error) }, 'a claim was not renewed')
    }
  }
  return {
    async start() {
      cancel = clock.every(claimMs / 3, () => {
        for (const kept of all) void renew(kept)
      })
    },
    async stop() {
      cancel()
      stopped = new Error('the worker is stopping')
      for (const { control } of all) control.abort(stopped)
    },
    keep(claimed) {
      const control = new AbortController()
      const kept: Kept = { claimed, control, lost: false }
      all.add(kept)
      if (stopped) control.abort(stopped)
      return {
        signal: control.signal,
        get isLost() {
          return kept.lost
        },
        letGo: () => all.delete(kept),
      }
    },
  }
}
