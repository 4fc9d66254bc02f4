import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim } from './lab/claim.ts'
import { type Crowd, lossesOf, lostOf, startCrowd, untilReplicasAnswer } from './lab/crowd.ts'
import { dataFolder, replicaWords, startDrover } from './lab/drover.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { median, tableLines } from './lab/table.ts'
import { until } from './lab/until.ts'

const replicas = 4
const clients = 64
const kills = 4
/** Load between two kills, so that each finds all replicas at work. */
const calmMs = 1_500

/** A replica is killed under load: who notices, and how long until another stands in for it. */
export const doorKill: Claim = {
  name: 'door-kill',
  about: 'SIGKILL of one of four replicas under 64 clients: failed GETs, time to its replacement',
  async run(lab) {
    const [port = 0] = await freePorts(1)
    const url = `http://127.0.0.1:${port}/`
    await startDrover(lab, port, [
      'balance',
      ...['--listen', `127.0.0.1:${port}`, '--admin', 'off', '--data', dataFolder(lab)],
      ...['--replicas', `${replicas}`, '--quiet', '--', ...replicaWords('replica')],
    ])
    await untilReplicasAnswer(url, replicas)

    const crowd = startCrowd({ url, connections: clients })
    const replacedMs: number[] = []
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(calmMs)
      lab.progress(`kill ${kill} of ${kills}`)
      replacedMs.push(await killOne(crowd))
    }
    await sleep(calmMs)
    const result = await crowd.stop()

    const lost = lostOf(result)
    lab.print(`${clients} clients in a closed loop, ${result.sent} GETs, ${kills} kills`)
    lab.print()
    printKills(lab, replacedMs)
    lab.print(`failed GETs: ${lost}${lost > 0 ? ` (${lossesOf(result)})` : ''}`)
    lab.print(
      `replacement answering after ${median(replacedMs).toFixed(0)} ms (median), ${Math.max(...replacedMs).toFixed(0)} ms at most`,
    )
    lab.print('goal: 0 failed GETs, a replacement answering within 500 ms')
  },
}

/** Kills the oldest replica and returns the ms until a process that was not there before has answered. */
async function killOne({ firstSeenMs }: Crowd): Promise<number> {
  const before = new Set(firstSeenMs.keys())
  const victim = [...before].find(isAlive)
  if (victim === undefined) throw new Error('no replica is left to kill')
  const killedMs = performance.now()
  process.kill(victim, 'SIGKILL')
  await until('a replacement answers', () => firstSeenMs.size > before.size)
  const [newcomer] = [...firstSeenMs].filter(([pid]) => !before.has(pid))
  return (newcomer?.[1] ?? Number.NaN) - killedMs
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false // ESRCH: it has ended, which is the answer.
  }
}

function printKills(lab: Lab, replacedMs: readonly number[]): void {
  const rows = replacedMs.map((ms, index) => [`kill ${index + 1}`, `${ms.toFixed(0)} ms`])
  for (const line of tableLines([['', 'replacement answers'], ...rows])) lab.print(line)
  lab.print()
}
