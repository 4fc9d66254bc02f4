import { cpus, loadavg } from 'node:os'
import type { Lab } from './lab.ts'

/** Prints what a reader needs to judge figures: the command, the machine, what is pinned where. */
export function printMachine(lab: Lab, name: string): void {
  const [first] = cpus()
  const [load = 0] = loadavg()
  lab.print(`$ npm run bench -- ${name}`)
  lab.print(
    `${first?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}, load ${load.toFixed(1)}`,
  )
  if (lab.measuredCore === undefined) {
    lab.print('One core, or no taskset: nothing is pinned, so compare these figures with care.')
  }
}
