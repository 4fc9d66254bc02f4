import { listProcesses, type ProcessEntry } from './processes.ts'

/** How long processes may end by themselves after SIGTERM, in ms. */
const graceMs = 2_000

/** How long after SIGKILL they are still looked for, in ms; only a stuck kernel needs it. */
const killTimeoutMs = 5_000

const lookEveryMs = 50

/** As much of a clock as ending processes needs: time is counted in looks. */
export interface Timing {
  sleep(delayMs: number): Promise<void>
}

/** Which processes are to be ended. */
export interface Leftovers {
  /** Those whose mark fits. */
  readonly marked: (mark: string) => boolean
  /** And the process groups of these leaders, if the leader is still the one that was noted. */
  readonly leaders: readonly { readonly pid: number; readonly startTicks: number }[]
}

/**
 * Ends processes that a supervisor left: SIGTERM, and SIGKILL for those that stay. Resolves to how
 * many there were. A process is touched only when its mark says that it is ours, or when the leader
 * of its group is the very process that was noted (pid and start time), never for its pid alone.
 */
export async function endLeftovers(leftovers: Leftovers, timing: Timing): Promise<number> {
  const seen = new Set<number>()
  let groups: ReadonlySet<number> = new Set()
  for (let forMs = 0; ; forMs += lookEveryMs) {
    const processes = await listProcesses()
    // A group stays ours when its leader is the first to end: its number is taken while one is left.
    groups = new Set([...groups, ...ownGroups(processes, leftovers)])
    const left = chooseLeftovers(processes, leftovers, groups)
    groups = new Set(left.map(({ group }) => group).filter((group) => groups.has(group)))
    if (left.length === 0 || forMs > graceMs + killTimeoutMs) return seen.size
    for (const { pid } of left) {
      if (forMs > graceMs) send(pid, 'SIGKILL')
      else if (!seen.has(pid)) send(pid, 'SIGTERM')
      seen.add(pid)
    }
    await timing.sleep(lookEveryMs)
  }
}

/** Ends what left the process group of a replica that has ended. */
export interface Sweeper {
  /** Resolves when no process with `mark` is left. Calls that meet share one look at all processes. */
  sweep(mark: string): Promise<void>
}

/** Returns a sweeper; it looks only while there is something to sweep. */
export function createSweeper(timing: Timing): Sweeper {
  const pending = new Map<string, Sweep>()
  let sweeping = false

  const sweepAll = async () => {
    while (pending.size > 0) {
      // Those that come in while we look are left for the next look.
      const sweeps = [...pending]
      const dirty = await killMarked(new Set(pending.keys()))
      for (const [mark, sweep] of sweeps) {
        if (dirty.has(mark) && sweep.looksLeft-- > 0) continue
        pending.delete(mark)
        sweep.done.resolve()
      }
      if (dirty.size > 0) await timing.sleep(lookEveryMs)
    }
    sweeping = false
  }
  return {
    sweep(mark) {
      const known = pending.get(mark)
      if (known) return known.done.promise
      const done = Promise.withResolvers<void>()
      pending.set(mark, { looksLeft: killTimeoutMs / lookEveryMs, done })
      if (!sweeping) {
        sweeping = true
        void sweepAll()
      }
      return done.promise
    },
  }
}

interface Sweep {
  /** After these it is given up: only a process stuck in the kernel is left. */
  looksLeft: number
  readonly done: PromiseWithResolvers<void>
}

/** Kills what carries one of `marks`, and returns those of them that something carried. */
async function killMarked(marks: ReadonlySet<string>): Promise<Set<string>> {
  const leftovers = { marked: (mark: string) => marks.has(mark) }
  const left = chooseLeftovers(await listProcesses(), leftovers, new Set())
  for (const { pid } of left) send(pid, 'SIGKILL')
  return new Set(left.flatMap(({ mark }) => mark ?? []))
}

/** Returns the groups whose leader, among `processes`, is the one that was noted. */
export function ownGroups(
  processes: readonly ProcessEntry[],
  { leaders }: Leftovers,
): ReadonlySet<number> {
  const startOf = new Map(processes.map(({ pid, startTicks }) => [pid, startTicks]))
  return new Set(
    leaders.filter(({ pid, startTicks }) => startOf.get(pid) === startTicks).map(({ pid }) => pid),
  )
}

/** Returns those of `processes` that are to be ended. Never this process itself. */
export function chooseLeftovers(
  processes: readonly ProcessEntry[],
  { marked }: Pick<Leftovers, 'marked'>,
  groups: ReadonlySet<number>,
): ProcessEntry[] {
  return processes.filter(
    ({ pid, group, zombie, mark }) =>
      !zombie && pid !== process.pid && (groups.has(group) || (mark !== undefined && marked(mark))),
  )
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended between the look and the signal.
  }
}
