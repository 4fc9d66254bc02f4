import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Claim } from './lab/claim.ts'
import { nodeProgram, runProgram } from './lab/processes.ts'
import { printSyncTime } from './lab/sync-time.ts'
import { tableLines } from './lab/table.ts'
import { startDrover } from './queue.ts'

const seconds = 10

/** How long a message takes from the call that stores it to the reader that waits for it. */
export const queueDelivery: Claim = {
  name: 'queue-delivery',
  about: 'time from publish to delivery at 5,000 messages a second, durable',
  async run(lab) {
    printSyncTime(lab)
    const { port, stop } = await startDrover(lab)
    const words = [`${port}`, '5000', `${seconds}`]
    // This process only waits meanwhile: how late it is woken is what the machine adds by itself.
    const idle = monitorEventLoopDelay({ resolution: 1 })
    idle.enable()
    const output = await runProgram(lab, nodeProgram('peers/queue-delivery-subject.js', words))
    idle.disable()
    await stop()
    const found = JSON.parse(output) as Record<'read' | 'work', number[]>
    lab.print(`5,000 messages of 256 bytes a second for ${seconds} s, each sent by itself`)
    lab.print()
    const rows = Object.entries(found).map(([how, times]) => [
      how === 'read' ? 'read by offset, long poll' : 'taken as work, long poll',
      ...times.map((timeMs) => `${timeMs.toFixed(2)} ms`),
    ])
    for (const line of tableLines([['delivery', 'median', 'p99', 'most'], ...rows])) lab.print(line)
    lab.print()
    const lateMs = (percent: number) => (idle.percentile(percent) / 1e6).toFixed(2)
    lab.print(
      `a process with nothing to do is woken after 1 ms here: ${lateMs(50)} ms, p99 ${lateMs(99)}`,
    )
    lab.print('goal: p99 at most 5 ms, on a machine with nothing else to do')
  },
}
