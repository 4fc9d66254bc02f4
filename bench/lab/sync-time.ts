import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'

/** Prints how long a small write takes to reach the disk here: every durable figure hangs on it. */
export function printSyncTime(lab: Lab): void {
  const file = openSync(join(lab.directory, 'sync'), 'w')
  const block = Buffer.alloc(4_096, 'x')
  const timesMs = Array.from({ length: 300 }, () => {
    writeSync(file, block)
    const startedAt = performance.now()
    fdatasyncSync(file)
    return performance.now() - startedAt
  }).sort((one, other) => one - other)
  closeSync(file)
  const at = (share: number) => (timesMs[Math.floor(timesMs.length * share)] ?? 0).toFixed(2)
  lab.print(`fdatasync of 4 KiB here: median ${at(0.5)} ms, p99 ${at(0.99)} ms`)
}
