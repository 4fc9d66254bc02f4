import { readFileSync } from 'node:fs'
import { processesUnder } from './process-usage.ts'

/** A process of the chunk service. */
export interface ServiceProcess {
  readonly pid: number
  /** `serve`, `door`, `front`, `backend`. */
  readonly role: string
}

/** Returns the processes of a `drover chunks serve` that runs; shells that only watch are left out. */
export function chunksProcesses(pid: number): ServiceProcess[] {
  return processesUnder(pid).flatMap((member) => {
    const words = readFileSync(`/proc/${member}/cmdline`, 'utf8').split('\0')
    const role = roleOf(words, member === pid)
    return role === undefined ? [] : [{ pid: member, role }]
  })
}

function roleOf(words: readonly string[], isFirst: boolean): string | undefined {
  if (isFirst) return 'serve'
  if (words.some((word) => word.includes('/door/'))) return 'door'
  if (words.includes('--backends-url')) return 'front'
  return words.includes('backend') ? 'backend' : undefined
}

/** Returns the most memory that was ever resident, in bytes. Linux only. */
export function peakBytesOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024
}
