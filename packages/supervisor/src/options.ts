import { fault } from './errors.ts'
import type { AutoscaleSpec, GroupSpec, RuntimeSpec } from './spec.ts'

/** The most replicas that one group may have: a typing error must not fill the machine. */
export const replicasMax = 1000

/** Every knob of a group with its default. Only `name` and `runtime` have none. */
export const groupDefaults = {
  /** Replicas. More use more memory and cores; 1 leaves nothing to answer while it restarts. */
  replicas: 3,
  env: {} as Readonly<Record<string, string>>,
  namePrefix: 'Server ',
  /** Raise it for programs that load much before they listen; lower it to give up on bad ones sooner. */
  startTimeoutMs: 30_000,
  /** Raise it when shutting down has work to save; a replica that hangs delays a stop by this long. */
  stopTimeoutMs: 10_000,
  stopSignal: 'SIGTERM',
  /** Raise it for long downloads and WebSockets; every removal and restart may take this long. */
  drainTimeoutMs: 30_000,
  /** `stop-first` leaves a gap of one replica's stop and start. */
  restartOrder: 'start-first',
  /**
   * The wait before try k (2 is the second replacement) is drawn from
   * [0, min(mostMs, firstMs · 2^(k-2))]. Lower finds a repaired program sooner, and costs more
   * useless starts until then.
   */
  backoff: { firstMs: 500, mostMs: 30_000 },
  /** Counted from being ready. Lower forgives sooner: a program that dies each minute never backs off. */
  stableAfterMs: 10_000,
  /** For each replica, living or among the last 20 dead, so memory is bounded by their product. */
  logBytesMax: 262_144,
} as const satisfies Partial<GroupSpec>

/** Knobs of autoscaling; without `autoscale` in a spec the number of replicas is fixed. */
export const autoscaleDefaults: AutoscaleSpec = {
  least: 1,
  /** A second limit beside the machine's: each replica is a program with its own memory. */
  most: 8,
  /** Lower keeps latency low and costs replicas; at 1 a replica never has two requests at once. */
  inFlightTarget: 16,
  /** Shorter than a replica's start, growth runs ahead of what it brings. */
  growCooldownMs: 5_000,
  /** Shorter saves more; longer spares the next wave from waiting for new replicas. */
  shrinkCooldownMs: 60_000,
}

/** What must be said about a group; everything else has a default. */
export type GroupWishes = Pick<GroupSpec, 'name' | 'runtime'> & Partial<GroupSpec>

/** Returns the whole spec of a group. Throws SPEC_INVALID that names the value. */
export function createGroupSpec(wishes: GroupWishes): GroupSpec {
  const spec = { ...groupDefaults, ...wishes }
  checkSpec(spec)
  return spec
}

/** Throws SPEC_INVALID for a spec that cannot be run; the configuration's schema catches most before. */
export function checkSpec(spec: GroupSpec): void {
  const refuse = (message: string) => fault('SPEC_INVALID', `group "${spec.name}": ${message}`)
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(spec.name))
    throw refuse('a name has 1 to 63 letters, digits, _, . or -')
  if (!/^([A-Za-z0-9][A-Za-z0-9 _.-]{0,31})?$/.test(spec.namePrefix))
    throw refuse(
      `namePrefix "${spec.namePrefix}" is not up to 32 of A-Z a-z 0-9 _ . - and blank, the first a letter or digit`,
    )
  if (!isCount(spec.replicas, 0, replicasMax))
    throw refuse(`replicas is ${spec.replicas}, not a whole number from 0 to ${replicasMax}`)
  for (const [key, value] of millisecondsOf(spec))
    if (!(value >= 0 && value <= 2 ** 31 - 1)) throw refuse(`${key} is ${value}, not a time in ms`)
  if (!isCount(spec.logBytesMax, 1024, 2 ** 30))
    throw refuse(`logBytesMax is ${spec.logBytesMax}, not a size from 1 KiB to 1 GiB`)
  const wrong = wrongRuntime(spec.runtime) ?? (spec.autoscale && wrongAutoscale(spec.autoscale))
  if (wrong) throw refuse(wrong)
}

function millisecondsOf(spec: GroupSpec): [string, number][] {
  return [
    ['startTimeoutMs', spec.startTimeoutMs],
    ['stopTimeoutMs', spec.stopTimeoutMs],
    ['drainTimeoutMs', spec.drainTimeoutMs],
    ['stableAfterMs', spec.stableAfterMs],
    ['backoff.firstMs', spec.backoff.firstMs],
    ['backoff.mostMs', spec.backoff.mostMs],
    ['autoscale.growCooldownMs', spec.autoscale?.growCooldownMs ?? 0],
    ['autoscale.shrinkCooldownMs', spec.autoscale?.shrinkCooldownMs ?? 0],
  ]
}

function wrongRuntime(runtime: RuntimeSpec): string | undefined {
  if (runtime.kind === 'process')
    return runtime.command[0] ? undefined : 'the command to run is empty'
  if (!runtime.image) return 'the image to run is empty'
  return isCount(runtime.containerPort, 1, 65_535)
    ? undefined
    : `containerPort is ${runtime.containerPort}, not a port from 1 to 65535`
}

function wrongAutoscale({ least, most, inFlightTarget }: AutoscaleSpec): string | undefined {
  if (!isCount(least, 1, replicasMax) || !isCount(most, least, replicasMax))
    return `autoscale goes from ${least} to ${most}; both must be from 1 to ${replicasMax}, in order`
  return inFlightTarget > 0
    ? undefined
    : `autoscale.inFlightTarget is ${inFlightTarget}, not above 0`
}

/** Holds when `value` is a whole number in [least, most]. */
export function isCount(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
}
