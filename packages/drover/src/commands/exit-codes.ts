import { describeError, Fault } from '@drover/kernel'
import { CommanderError } from 'commander'

/** What the exit codes mean, as `drover --help` says it. */
export const exitCodesHelp = `Exit codes:
  0   done
  1   it failed, and trying again will not help
  2   the command line or the configuration is wrong, or it names what is not there
  69  it failed for now: what is needed is not there, try later
  75  it failed for now: try again at once
  70  a mistake in Drover itself
  130 ctrl-c stopped it`

const usageCodes = new Set([
  'USAGE',
  'CONFIG_INVALID',
  'SPEC_INVALID',
  'PLAN_REFUSED',
  'POLICY_UNSUPPORTED',
  // Names on the command line that nothing has; the admin API or the queue found out.
  'UNKNOWN_SERVICE',
  'UNKNOWN_REPLICA',
  'REPLICA_UNKNOWN',
  'POLICY_UNKNOWN',
  'EXPERIMENT_UNKNOWN',
  'TOPIC_UNKNOWN',
  'PARTITION_UNKNOWN',
  'BROKER_UNKNOWN',
  'TOPOLOGY_INVALID',
  'HERD_QUERY_INVALID',
  'WAY_UNKNOWN',
  'SIZE_INVALID',
  'LETTERS_INVALID',
  'PATTERN_INVALID',
])

/** Returns the exit code that tells a script what to do about `error`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (!(error instanceof Fault)) return 70
  if (usageCodes.has(error.code)) return 2
  if (error.code === 'INTERRUPTED') return 130
  return { now: 75, later: 69, never: 1 }[error.retry]
}

/** Returns what a person reads about `error`: one sentence for a fault, the whole stack for a mistake. */
export function messageOf(error: unknown): string {
  if (error instanceof Fault) return error.message
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('\n')
  if (error instanceof Error) return `unexpected: ${error.stack ?? describeError(error)}`
  return `unexpected: ${String(error)}`
}
