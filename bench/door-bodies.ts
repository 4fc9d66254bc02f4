import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim } from './lab/claim.ts'
import { type RunningDoor, startDoors } from './lab/doors.ts'
import { runPinned } from './lab/generators.ts'
import type { Lab } from './lab/lab.ts'
import { MemoryWatch } from './lab/memory-watch.ts'
import { cpuTimeBetween, cpuTimeOf } from './lab/process-usage.ts'
import { nodeProgram, startProgram } from './lab/processes.ts'
import { median, tableLines } from './lab/table.ts'
import { startBodyUpstreams } from './lab/upstreams.ts'

const rounds = 3
const mebibyte = 2 ** 20
const gibibyte = 2 ** 30
const stalledReaders = 32
/** How long memory is watched once all readers have stopped; what buffers at all does it at once. */
const stalledMs = 2_000

const transfers = [
  {
    title: '1 MiB down',
    path: `/bodies/${mebibyte}`,
    bytes: mebibyte,
    requests: 400,
    connections: 8,
  },
  { title: '1 MiB up', path: '/sink', bytes: mebibyte, requests: 400, connections: 8 },
  {
    title: '1 GiB down',
    path: `/bodies/${gibibyte}`,
    bytes: gibibyte,
    requests: 1,
    connections: 1,
  },
  { title: '1 GiB up', path: '/sink', bytes: gibibyte, requests: 1, connections: 1 },
] as const

type Transfer = (typeof transfers)[number]

/** What a door did with its memory, in bytes. */
interface Memory {
  /** Before the first body. */
  readonly idle: number
  /** The most while a GiB went through. */
  readonly most: number
  /** The most while readers had stopped within a body of 1 GiB. */
  readonly stalled: number
}

/** Large bodies: bytes per CPU second, and memory while they go through. */
export const doorBodies: Claim = {
  name: 'door-bodies',
  about: 'bodies of 1 MiB and 1 GiB, down and up: bytes per CPU second, and resident memory',
  async run(lab) {
    const upstreams = await startBodyUpstreams(lab)
    const running = await startDoors(lab, upstreams.ports)
    const speeds = new Map<string, number[]>()
    const memories = new Map<string, Memory>()
    for (const door of running) await transfer(lab, door, transfers[0])
    for (let round = 1; round <= rounds; round++) {
      for (const door of running) {
        lab.progress(`round ${round} of ${rounds}: ${door.name}`)
        const memory = await measure(lab, door, speeds)
        if (round === 1) memories.set(door.name, memory)
      }
    }
    print(lab, running, speeds, memories)
  },
}

/** One round of one door: all transfers, then readers that stop reading. */
async function measure(
  lab: Lab,
  door: RunningDoor,
  speeds: Map<string, number[]>,
): Promise<Memory> {
  const watch = new MemoryWatch(lab, door.process.pid)
  for (const kind of transfers) {
    const key = `${door.name} ${kind.title}`
    speeds.set(key, [...(speeds.get(key) ?? []), await transfer(lab, door, kind)])
  }
  const most = watch.stop()
  return { idle: watch.startBytes, most, stalled: await stall(lab, door) }
}

/** Returns MB per CPU second of the door. */
async function transfer(lab: Lab, door: RunningDoor, kind: Transfer): Promise<number> {
  const before = cpuTimeOf(door.process.pid)
  const result = await runPinned(lab, {
    url: `http://127.0.0.1:${door.port}${kind.path}`,
    connections: kind.connections,
    requests: kind.requests,
    timeoutMs: 120_000,
    ...(kind.path === '/sink' ? { method: 'POST', bodyBytes: kind.bytes } : {}),
  })
  if (result.answered !== kind.requests)
    throw new Error(`${door.name}, ${kind.title}: ${JSON.stringify(result.failed)}`)
  const { user, system } = cpuTimeBetween(before, cpuTimeOf(door.process.pid))
  return (kind.bytes * kind.requests) / (user + system) / 1e6
}

async function stall(lab: Lab, door: RunningDoor): Promise<number> {
  const url = `http://127.0.0.1:${door.port}/bodies/${gibibyte}`
  const watch = new MemoryWatch(lab, door.process.pid)
  const readers = await startProgram(lab, {
    ...nodeProgram('peers/stalled-readers.js', [url, `${stalledReaders}`]),
    core: lab.loadCore,
  })
  const deadlineMs = performance.now() + 30_000
  while (!readers.output().includes('stalled') && performance.now() < deadlineMs) await sleep(20)
  await sleep(stalledMs)
  await readers.stop()
  return watch.stop()
}

function print(
  lab: Lab,
  running: readonly RunningDoor[],
  speeds: ReadonlyMap<string, readonly number[]>,
  memories: ReadonlyMap<string, Memory>,
): void {
  const speed = (door: string, title: string) => median(speeds.get(`${door} ${title}`) ?? [])
  const rows = running.map(({ name }) => [
    name,
    ...transfers.flatMap(({ title }) => [
      Math.round(speed(name, title)).toString(),
      (speed(name, title) / speed('nginx', title)).toFixed(2),
    ]),
  ])
  const header = ['door', ...transfers.flatMap(({ title }) => [title, '÷ nginx'])]
  lab.print(`MB per CPU second of the door, median of ${rounds} interleaved rounds`)
  lab.print()
  for (const line of tableLines([header, ...rows])) lab.print(line)
  lab.print()

  const inMib = (bytes = 0) => `${(bytes / mebibyte).toFixed(0)} MiB`
  const memoryRows = running.map(({ name }) => {
    const { idle, most, stalled } = memories.get(name) ?? { idle: 0, most: 0, stalled: 0 }
    return [name, inMib(idle), inMib(most), inMib(stalled)]
  })
  const memoryHeader = [
    'resident memory',
    'before',
    'most in transfers',
    `${stalledReaders} stalled readers`,
  ]
  for (const line of tableLines([memoryHeader, ...memoryRows])) lab.print(line)
  lab.print()
  lab.print('goal: at least 0.8 × nginx in each column, and memory that stays where it was')
}
