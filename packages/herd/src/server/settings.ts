import type { HerdOptions } from '../options.ts'
import type { LocationProfile } from '../protocol/location.ts'
import type { Topology } from '../topology.ts'

/** What a server runs with, every choice made. */
export interface HerdSettings {
  readonly sync: boolean
  readonly profile: LocationProfile
  readonly logDirectory: string | undefined
  readonly dataDirectory: string | undefined
  readonly recordsMax: number
  readonly lifetimeMs: number
  readonly skewMs: number
  readonly connectionsMax: number
}

/** The options given, else what the topology says, else the defaults. */
export function settingsOf(topology: Topology, options: HerdOptions): HerdSettings {
  const { settings } = topology
  const sync = options.sync ?? topology.sync
  const skewDefaultMs = sync ? 3_600_000 : Number.POSITIVE_INFINITY
  const skewSeconds = settings.skewSeconds
  return {
    sync,
    profile: options.profile ?? settings.profile ?? 'classic',
    logDirectory: options.logDirectory ?? settings.logs,
    dataDirectory: options.dataDirectory ?? settings.data,
    recordsMax: options.recordsMax ?? settings.recordsMax ?? 1_000_000,
    lifetimeMs: options.lifetimeMs ?? (settings.lifetimeSeconds ?? 0) * 1_000,
    skewMs: options.skewMs ?? (skewSeconds === undefined ? skewDefaultMs : skewSeconds * 1_000),
    connectionsMax: options.connectionsMax ?? settings.connectionsMax ?? 10_000,
  }
}
