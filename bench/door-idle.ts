import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim } from './lab/claim.ts'
import { type RunningDoor, startDoors } from './lab/doors.ts'
import { saturate } from './lab/generators.ts'
import type { Lab } from './lab/lab.ts'
import { openFilesMost, residentBytesOf } from './lab/process-usage.ts'
import { nodeProgram, startProgram } from './lab/processes.ts'
import { tableLines } from './lab/table.ts'
import { startUpstreams } from './lab/upstreams.ts'

const clientsWanted = 10_000
/** What a door needs for itself, its upstreams and its log. */
const filesSpare = 500
/** Allocators and collectors settle; the figure is what remains. */
const settleMs = 3_000
const mebibyte = 2 ** 20

/** What keep-alive clients that ask nothing cost in memory. */
export const doorIdle: Claim = {
  name: 'door-idle',
  about: '10,000 idle keep-alive clients: resident memory over that without them',
  async run(lab) {
    const clients = Math.min(clientsWanted, openFilesMost() - filesSpare)
    if (clients < clientsWanted)
      lab.print(`only ${clients} clients: the limit on open files (ulimit -n) allows no more`)
    const upstreams = await startUpstreams(lab)
    const rows: string[][] = []
    for (const door of await startDoors(lab, upstreams.ports)) {
      lab.progress(`${clients} clients of ${door.name}`)
      rows.push(await measure(lab, door, clients))
    }
    const header = ['door', 'before', `${clients} idle`, 'more', 'KiB per client']
    lab.print('resident memory of the door after a second of load, and with idle clients on top')
    lab.print()
    for (const line of tableLines([header, ...rows])) lab.print(line)
    lab.print()
    lab.print('goal: at most 100 MiB more')
  },
}

async function measure(lab: Lab, door: RunningDoor, clients: number): Promise<string[]> {
  const { pid } = door.process
  await saturate(lab, { url: `http://127.0.0.1:${door.port}/`, connections: 64, seconds: 1 })
  await sleep(settleMs)
  const before = residentBytesOf(pid)

  const crowd = await startProgram(lab, {
    ...nodeProgram('peers/idle-clients.js', [door.port, clients].map(String)),
    core: lab.loadCore,
  })
  const deadlineMs = performance.now() + 60_000
  while (!crowd.output().includes('idle\n')) {
    if (crowd.output() !== '' || performance.now() > deadlineMs)
      throw new Error(`${door.name} does not hold the clients: ${crowd.output()}`)
    await sleep(50)
  }
  await sleep(settleMs)
  const after = residentBytesOf(pid)
  await crowd.stop()

  const inMib = (bytes: number) => `${(bytes / mebibyte).toFixed(1)} MiB`
  const perClient = (after - before) / clients / 1_024
  return [door.name, inMib(before), inMib(after), inMib(after - before), perClient.toFixed(1)]
}
