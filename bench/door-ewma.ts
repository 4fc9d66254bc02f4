import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim } from './lab/claim.ts'
import { startCrowd, untilReplicasAnswer, type Who } from './lab/crowd.ts'
import { dataFolder, replicaWords, startDrover } from './lab/drover.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { tableLines } from './lab/table.ts'

const replicas = 3
const fair = 1 / replicas
const slowMs = 200
const slowForMs = 5_000
const watchMs = 40_000
const windowMs = 1_000
const load = { connections: 32, ratePerSecond: 400 }

/** A replica that is slow for a while loses requests to the others, and must get them back. */
export const doorEwma: Claim = {
  name: 'door-ewma',
  about: 'peak-ewma: a replica slow for 5 s, its share of the requests then and afterwards',
  async run(lab) {
    const [port = 0] = await freePorts(1)
    const url = `http://127.0.0.1:${port}/`
    await startDrover(lab, port, [
      'balance',
      ...['--listen', `127.0.0.1:${port}`, '--admin', 'off', '--data', dataFolder(lab)],
      ...['--replicas', `${replicas}`, '--policy', 'peak-ewma', '--quiet'],
      ...['--', ...replicaWords('replica')],
    ])
    await untilReplicasAnswer(url, replicas)

    const answers: { atMs: number; who: Who }[] = []
    const crowd = startCrowd({ url, ...load }, (who) =>
      answers.push({ atMs: performance.now(), who }),
    )
    await sleep(3_000)
    const victim = answers.at(-1)?.who
    if (victim === undefined) throw new Error('nobody answers')
    await fetch(`http://127.0.0.1:${victim.port}/slow?ms=${slowMs}&for=${slowForMs}`)
    const slowAtMs = performance.now()
    lab.progress(`a replica is slow for ${slowForMs} ms, then it is watched`)
    await sleep(slowForMs + watchMs)
    await crowd.stop()

    const shares = sharesOf(victim, answers, slowAtMs)
    print(lab, shares)
  },
}

/** The victim's share of the answers in each second from 3 s before it became slow. */
function sharesOf(
  victim: Who,
  answers: readonly { atMs: number; who: Who }[],
  slowAtMs: number,
): Map<number, number> {
  const all = new Map<number, number>()
  const own = new Map<number, number>()
  for (const { atMs, who } of answers) {
    const second = Math.floor((atMs - slowAtMs) / windowMs)
    all.set(second, (all.get(second) ?? 0) + 1)
    if (who.pid === victim.pid) own.set(second, (own.get(second) ?? 0) + 1)
  }
  return new Map([...all].map(([second, count]) => [second, (own.get(second) ?? 0) / count]))
}

function print(lab: Lab, shares: ReadonlyMap<number, number>): void {
  const between = (from: number, to: number): number => {
    const inside = [...shares].filter(([second]) => second >= from && second < to)
    return inside.reduce((sum, [, share]) => sum + share, 0) / inside.length
  }
  const slowSeconds = slowForMs / windowMs
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const stretches: [string, number, number][] = [
    ['before', -3, 0],
    ['while slow (from its 2nd second)', 1, slowSeconds],
    ['1st-5th second after', slowSeconds, slowSeconds + 5],
    ['6th-10th second after', slowSeconds + 5, slowSeconds + 10],
    ['11th-20th second after', slowSeconds + 10, slowSeconds + 20],
    ['21st-30th second after', slowSeconds + 20, slowSeconds + 30],
  ]
  const rows = stretches.map(([when, from, to]) => [when, percent(between(from, to))])
  lab.print(
    `${load.ratePerSecond} requests a second on ${replicas} replicas, one of which takes ${slowMs} ms for ${slowForMs / 1_000} s`,
  )
  lab.print()
  for (const line of tableLines([[`share of it (fair: ${percent(fair)})`, ''], ...rows]))
    lab.print(line)
  lab.print()
  const back = [...shares].find(([second, share]) => second >= slowSeconds && share >= fair / 2)
  const after = back === undefined ? 'not at all' : `in second ${back[0] - slowSeconds + 1}`
  lab.print(`half of its fair share again: ${after} after it was well`)
  lab.print('goal: within 30 s')
}
