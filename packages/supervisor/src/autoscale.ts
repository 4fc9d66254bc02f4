import type { AutoscaleSpec } from './spec.ts'

/** What deciding remembers between two looks at the load. */
export interface LoadHistory {
  /** When the first look was, and the last change; monotonic ms. */
  readonly sinceMs: number
  readonly changedAtMs: number
  /**
   * The highest numbers of replicas that were wanted lately, newest last. The counts fall strictly, so
   * there are never more than `most` of them.
   */
  readonly wants: readonly Want[]
}

interface Want {
  readonly atMs: number
  readonly count: number
  readonly inFlight: number
}

/** One look at the load of a group. */
export interface Load {
  readonly nowMs: number
  /** Requests under way at all replicas together. */
  readonly inFlight: number
  /** Replicas wanted until now. */
  readonly replicas: number
}

/** What comes of a look: what to remember, and a change when one is due. */
export interface Look {
  readonly history: LoadHistory
  readonly change: { readonly count: number; readonly reason: string } | undefined
}

/**
 * Decides how many replicas `load` needs: ⌈inFlight / inFlightTarget⌉, within [least, most]. It grows
 * as soon as more are needed, if nothing changed for `growCooldownMs`. It shrinks to the highest
 * number that was needed in the last `shrinkCooldownMs`, if nothing changed meanwhile: a wave that
 * comes again within that time finds its replicas. Pure; costs O(most).
 */
export function lookAtLoad(before: LoadHistory | undefined, load: Load, spec: AutoscaleSpec): Look {
  const history = remember(before, load, spec)
  const { nowMs, inFlight, replicas } = load
  const quietMs = nowMs - history.changedAtMs
  const now = history.wants.at(-1)
  const highest = history.wants[0]
  if (!now || !highest) return { history, change: undefined }

  const target = `${spec.inFlightTarget} for each replica`
  if (now.count > replicas && quietMs >= spec.growCooldownMs)
    return changed(
      history,
      load,
      now.count,
      `${inFlight} requests under way, ${target} wanted: ${replicas} → ${now.count}`,
    )
  const watchedMs = Math.min(quietMs, nowMs - history.sinceMs)
  if (highest.count < replicas && watchedMs >= spec.shrinkCooldownMs)
    return changed(
      history,
      load,
      highest.count,
      `at most ${highest.inFlight} requests under way in the last ${spec.shrinkCooldownMs / 1000} s, ` +
        `${target} wanted: ${replicas} → ${highest.count}`,
    )
  return { history, change: undefined }
}

/** Adds the newest want; those that it makes needless, or that are too old, are dropped. */
function remember(
  before: LoadHistory | undefined,
  { nowMs, inFlight }: Load,
  { least, most, inFlightTarget, shrinkCooldownMs }: AutoscaleSpec,
): LoadHistory {
  const count = Math.min(most, Math.max(least, Math.ceil(inFlight / inFlightTarget)))
  const wants = (before?.wants ?? []).filter(
    (want) => nowMs - want.atMs <= shrinkCooldownMs && want.count > count,
  )
  return {
    sinceMs: before?.sinceMs ?? nowMs,
    changedAtMs: before?.changedAtMs ?? Number.NEGATIVE_INFINITY,
    wants: [...wants, { atMs: nowMs, count, inFlight }],
  }
}

function changed(history: LoadHistory, { nowMs }: Load, count: number, reason: string): Look {
  return {
    history: { ...history, changedAtMs: nowMs },
    change: { count, reason: `autoscale: ${reason}` },
  }
}
