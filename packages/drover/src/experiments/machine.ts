import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { version } from '../version.ts'

/** Returns what a reader must know of the machine to judge figures that were measured on it. */
export function describeMachine(): string[] {
  const cores = availableParallelism()
  const gibibytes = (totalmem() / 2 ** 30).toFixed(1)
  const [load = 0] = loadavg()
  return [
    `${cores} cores (${cpus()[0]?.model.trim() || 'of an unnamed kind'}), ${gibibytes} GiB of memory, ${type()} ${release()}`,
    `Node.js ${process.version}, drover ${version}`,
    `Clients, servers and this measurement share the machine; its load was ${load.toFixed(1)} at the start (one minute's mean of waiting and running processes)`,
  ]
}
