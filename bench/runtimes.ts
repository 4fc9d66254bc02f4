import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim } from './lab/claim.ts'
import { type Contender, measureInTurns, measureUpdates } from './lab/herd-rates.ts'
import { type RunningHerd, startAlone, startAsyncioAlone } from './lab/herd-servers.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { residentBytesOf } from './lab/process-usage.ts'
import { runProgram, startProgram, waitForPort } from './lab/processes.ts'
import { findProgram } from './lab/programs.ts'
import { median, tableLines } from './lab/table.ts'

const rounds = 3
const connections = 50
const starts = 5
/** A JVM compiles for seconds what it finds to be hot. */
const warmSeconds = 8

interface Runtime {
  readonly name: string
  readonly start: (lab: Lab) => Promise<RunningHerd>
}

/** One line server in three languages: what a start, an answer and an idle process cost. */
export const runtimes: Claim = {
  name: 'runtimes',
  about: 'one line server on Node, Python (asyncio) and the JVM: start, memory, CPU an answer',
  async run(lab) {
    const found = [
      { name: 'Node: drover herd serve', start: startAlone },
      ...(findProgram('python3') ? [{ name: 'Python: asyncio', start: startAsyncioAlone }] : []),
      ...(findProgram('javac') ? [{ name: 'JVM: a thread a connection', start: startJvm }] : []),
    ]
    for (const name of ['python3', 'javac'])
      if (!findProgram(name)) lab.print(`${name} is not installed: its figures are missing`)
    const rows: string[][] = []
    const rates = await measureInTurns(lab, contendersOf(lab, found), rounds)
    for (const [index, runtime] of found.entries()) {
      const { startMs, idleMiB } = await measureStarts(lab, runtime)
      const rate = rates[index]
      rows.push([
        runtime.name,
        startMs.toFixed(0),
        idleMiB.toFixed(0),
        (rate?.cpuMicros ?? 0).toFixed(1),
        ((rate?.cpuMicros ?? 0) / (rates[0]?.cpuMicros ?? 1)).toFixed(2),
      ])
    }
    lab.print(
      `IAMAT, ${connections} connections, log on, one server on one core, warm for ${warmSeconds} s;`,
    )
    lab.print(`the quieter quarter of ${rounds} turns; starts: median of ${starts}`)
    lab.print()
    const header = ['', 'start, ms', 'idle, MiB', 'CPU µs an answer', 'Node ×']
    for (const line of tableLines([header, ...rows])) lab.print(line)
  },
}

function contendersOf(lab: Lab, found: readonly Runtime[]): Contender[] {
  return found.map(({ name, start }) => ({
    name,
    measure: () => measureUpdates(lab, () => start(lab), { connections, depth: 1, warmSeconds }),
  }))
}

/** Compiles the peer, once; returns the folder of its classes. */
async function compiled(lab: Lab): Promise<string> {
  const folder = join(lab.directory, 'classes')
  const source = new URL('../peers/HerdLines.java', import.meta.url).pathname
  const command = findProgram('javac') ?? 'javac'
  if (!existsSync(folder)) await runProgram(lab, { command, args: ['-d', folder, source] })
  return folder
}

/** From the start of the process to its first connection, and what it then takes. */
async function measureStarts(lab: Lab, { name, start }: Runtime) {
  const times: number[] = []
  const sizes: number[] = []
  for (let count = 0; count < starts; count++) {
    lab.progress(`${name}: start ${count + 1} of ${starts}`)
    const beganMs = performance.now()
    const herd = await start(lab)
    times.push(performance.now() - beganMs)
    sizes.push(herd.servers.reduce((sum, { pid }) => sum + residentBytesOf(pid), 0))
    await herd.stop()
  }
  return { startMs: median(times), idleMiB: median(sizes) / 2 ** 20 }
}

async function startJvm(lab: Lab): Promise<RunningHerd> {
  const [port = 0] = await freePorts(1)
  const log = join(lab.directory, 'jvm.log')
  const command = findProgram('java') ?? 'java'
  const args = ['-cp', await compiled(lab), 'HerdLines', 'Clark', String(port), log]
  const server = await startProgram(lab, { command, args, core: lab.measuredCore })
  await waitForPort(port, server)
  return { port, servers: [server], httpPorts: [], stop: server.stop }
}
