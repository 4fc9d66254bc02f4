import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { nodeProgram, runProgram } from './lab/processes.ts'
import { printSyncTime } from './lab/sync-time.ts'
import { tableLines } from './lab/table.ts'
import { startDrover } from './queue.ts'

const [rate, seconds] = [5_000, 10]

/** How long a message takes from the call that stores it to the reader that waits for it. */
export const queueDelivery: Claim = {
  name: 'queue-delivery',
  about: 'time from publish to delivery at 5,000 messages a second, durable',
  async run(lab) {
    printSyncTime(lab)
    const before = await measureDisk(lab)
    const { port, stop } = await startDrover(lab)
    const words = [`${port}`, `${rate}`, `${seconds}`]
    // This process only waits meanwhile: how late it is woken is what the machine adds by itself.
    const idle = monitorEventLoopDelay({ resolution: 1 })
    idle.enable()
    const output = await runProgram(lab, nodeProgram('peers/queue-delivery-subject.js', words))
    idle.disable()
    await stop()
    const after = await measureDisk(lab)
    const found = JSON.parse(output) as Record<'read' | 'work', number[]>
    lab.print(`5,000 messages of 256 bytes a second for ${seconds} s, each sent by itself`)
    lab.print()
    const row = (what: string, times: readonly number[]) => [
      what,
      ...times.map((timeMs) => `${timeMs.toFixed(2)} ms`),
    ]
    const rows = [
      ['delivery', 'median', 'p99', 'most'],
      row('read by offset, long poll', found.read),
      row('taken as work, long poll', found.work),
      row('the disk alone, before', before),
      row('the disk alone, after', after),
    ]
    for (const line of tableLines(rows)) lab.print(line)
    lab.print()
    lab.print(
      'the disk alone: the same stream by plain write and fdatasync, no network and no reader',
    )
    const lateMs = (percent: number) => (idle.percentile(percent) / 1e6).toFixed(2)
    lab.print(
      `a process with nothing to do is woken after 1 ms here: ${lateMs(50)} ms, p99 ${lateMs(99)}`,
    )
    lab.print('goal: p99 at most 5 ms, on a machine with nothing else to do')
  },
}

/** How long the same messages take to be on the disk when nothing else is done with them. */
async function measureDisk(lab: Lab): Promise<number[]> {
  const words = [lab.directory, `${rate}`, `${seconds / 2}`]
  const output = await runProgram(lab, nodeProgram('peers/disk-delivery-subject.js', words))
  return JSON.parse(output) as number[]
}
