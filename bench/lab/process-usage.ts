import { readdirSync, readFileSync } from 'node:fs'

/** Linux tells times in hundredths of a second, whatever the kernel's own tick is. */
const ticksPerSecond = 100

/** Time on a processor, in seconds. */
export interface CpuTime {
  readonly user: number
  readonly system: number
}

/**
 * Returns the CPU time that process `pid` and all its descendants have used, with the descendants
 * that ended and were waited for. Linux only; throws when the process is gone.
 */
export function cpuTimeOf(pid: number): CpuTime {
  const parts = processesUnder(pid).map((member) => {
    const fields = statFields(member)
    return {
      user: Number(fields[11]) + Number(fields[13]),
      system: Number(fields[12]) + Number(fields[14]),
    }
  })
  return {
    user: parts.reduce((sum, { user }) => sum + user, 0) / ticksPerSecond,
    system: parts.reduce((sum, { system }) => sum + system, 0) / ticksPerSecond,
  }
}

/** Returns the CPU time from `before` to `after`. */
export function cpuTimeBetween(before: CpuTime, after: CpuTime): CpuTime {
  return { user: after.user - before.user, system: after.system - before.system }
}

/** Returns the resident memory of process `pid` and its descendants in bytes, shared pages once each. */
export function residentBytesOf(pid: number): number {
  return processesUnder(pid)
    .map((member) => {
      const text = readFileSync(`/proc/${member}/smaps_rollup`, 'utf8')
      return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024
    })
    .reduce((sum, bytes) => sum + bytes, 0)
}

/**
 * The same, but pages that two of the processes share count twice; in return the look costs the
 * processes nothing, so that it may be taken often.
 */
export function mappedBytesOf(pid: number): number {
  return processesUnder(pid)
    .map((member) => Number(readFileSync(`/proc/${member}/statm`, 'utf8').split(' ')[1]) * 4_096)
    .reduce((sum, bytes) => sum + bytes, 0)
}

/** The process and its descendants, the process first. */
export function processesUnder(pid: number): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const member = Number(name)
    if (!Number.isInteger(member)) continue
    const parent = parentOf(member)
    if (parent === undefined) continue
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), member])
  }
  const tree = [pid]
  for (const member of tree) tree.push(...(childrenOf.get(member) ?? []))
  return tree
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(statFields(pid)[1])
  } catch {
    return undefined // It ended between the listing and the look.
  }
}

/** The fields of /proc/<pid>/stat after the name, which may hold blanks and brackets itself. */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** Returns how many files (and so connections) a process that we start may have open. */
export function openFilesMost(): number {
  const text = readFileSync('/proc/self/limits', 'utf8')
  const most = /^Max open files\s+\S+\s+(\S+)/m.exec(text)?.[1]
  return most === 'unlimited' ? Number.POSITIVE_INFINITY : Number(most)
}
