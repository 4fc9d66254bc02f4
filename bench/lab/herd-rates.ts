import type { RunningHerd } from './herd-servers.ts'
import type { Lab } from './lab.ts'
import { cpuTimeOf } from './process-usage.ts'
import { nodeProgram, runProgram } from './processes.ts'
import { lowerQuartile } from './table.ts'

/** What something costs that a server is asked. */
export interface Rate {
  readonly perSecond: number
  /** Processor time per answer, of all servers together, in microseconds. */
  readonly cpuMicros: number
}

/** One of those that are compared. */
export interface Contender {
  readonly name: string
  /** Takes one turn. */
  measure(): Promise<Rate>
}

/** Many lines at a time: what is compiled while it runs must be compiled on a busy machine, too. */
const warmDepth = 16
const usualWarmSeconds = 2
const seconds = 2

/**
 * Lets the contenders take turns, so that what else the machine does sways all of them, and returns
 * for each what the quieter quarter of its turns shows.
 */
export async function measureInTurns(
  lab: Lab,
  contenders: readonly Contender[],
  rounds: number,
): Promise<Rate[]> {
  const turns: Rate[][] = contenders.map(() => [])
  for (let round = 1; round <= rounds; round++)
    for (const [index, contender] of contenders.entries()) {
      lab.progress(`round ${round} of ${rounds}: ${contender.name}`)
      turns[index]?.push(await contender.measure())
    }
  return turns.map((rates) => ({
    cpuMicros: lowerQuartile(rates.map((rate) => rate.cpuMicros)),
    perSecond: Math.max(...rates.map((rate) => rate.perSecond)),
  }))
}

/** Measures updates: a herd is started, warmed, told by so many connections, and stopped. */
export async function measureUpdates(
  lab: Lab,
  start: () => Promise<RunningHerd>,
  load: { readonly connections: number; readonly depth: number; readonly warmSeconds?: number },
): Promise<Rate> {
  const herd = await start()
  const tell = async (forSeconds: number, firstLine: number, depth: number) => {
    const words = [herd.port, load.connections, depth, forSeconds, firstLine].map(String)
    const program = { ...nodeProgram('peers/herd-load.js', words), core: lab.loadCore }
    return JSON.parse(await runProgram(lab, program)) as { answered: number; perSecond: number }
  }
  await tell(load.warmSeconds ?? usualWarmSeconds, 0, Math.max(warmDepth, load.depth))
  const before = cpuSecondsOf(herd)
  const { answered, perSecond } = await tell(seconds, 100_000_000, load.depth)
  const cpuMicros = ((cpuSecondsOf(herd) - before) / answered) * 1e6
  await herd.stop()
  return { perSecond, cpuMicros }
}

/** Returns the processor time that the herd's processes have used together, in seconds. */
export function cpuSecondsOf({ servers }: RunningHerd): number {
  return servers
    .map(({ pid }) => cpuTimeOf(pid))
    .reduce((sum, { user, system }) => sum + user + system, 0)
}
