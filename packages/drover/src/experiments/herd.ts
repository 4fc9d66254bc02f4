import { builtinTopologies, type Topology } from '@drover/herd'
import { drawFlooding, type Flooding, measureFlooding } from './herd-flooding.ts'
import { startHerd } from './herd-lab.ts'
import { killInTurn, type Outage } from './herd-outages.ts'
import type { Report, Table } from './report.ts'
import type { Run } from './run.ts'
import { quantile } from './statistics.ts'

/** Herds in which each server is killed in turn. */
interface Herd {
  readonly name: string
  readonly topology: string
  readonly sync: boolean
}

const bailey: Herd = { name: 'Bailey’s herd', topology: 'bailey', sync: false }
const others: readonly Herd[] = [
  { name: 'Goloman’s herd', topology: 'goloman', sync: false },
  { name: 'Bailey’s herd with sync', topology: 'bailey', sync: true },
]

interface Killed {
  readonly herd: Herd
  readonly outages: readonly Outage[]
}

/** How soon an update is everywhere, what that costs, and what is known while a server is down. */
export async function runHerd({ stage, progress, isQuick }: Run): Promise<Report> {
  progress.step('starting five servers')
  const lab = await startHerd(stage, topologyOf(bailey), { sync: false })
  const each = isQuick ? 20 : 300
  const flooding = await measureFlooding(stage, lab, each, (name) =>
    progress.step(`${each} updates told to ${name}`),
  )
  await lab.stop()
  const killed: Killed[] = []
  for (const herd of isQuick ? [bailey] : [bailey, ...others]) {
    const { name, sync } = herd
    progress.step(`${name}: each server is killed in turn`)
    const those = await startHerd(stage, topologyOf(herd), { sync })
    const outages: Outage[] = []
    for (const victim of those.names) outages.push(await killInTurn(those, victim))
    await those.stop()
    killed.push({ herd, outages })
  }
  return reportOf(flooding, killed)
}

function topologyOf({ topology }: Herd): Topology {
  const found = builtinTopologies[topology]
  if (!found) throw new TypeError(`there is no topology ${topology}`)
  return found
}

function reportOf(flooding: Flooding, killed: readonly Killed[]): Report {
  const { updates, messages, links } = flooding
  const times = updates.map(({ lastMs }) => lastMs)
  const per = messages / updates.length
  const drawn = drawFlooding(flooding)
  const of = (share: number) => quantile(times, share).toFixed(2)
  const wholes = updates.map(({ wholeMs }) => wholeMs)
  const half = quantile(wholes, 0.5).toFixed(2)
  const before = ((100 * times.filter((time) => time === 0).length) / times.length).toFixed(0)
  return {
    question:
      'How soon after the answer has the last of five servers an update, what does it cost, and what do the others know while one is down?',
    findings: [
      `${updates.length} updates: half are with the last of five servers within ${half} ms of being sent; ${before} % are everywhere before their answer, 99 % within ${of(0.99)} ms after it, the last of all ${of(1)} ms after it`,
      `an update takes ${per.toFixed(2)} messages between servers on ${links} links; one for each server that has to hear of it would be 4, one each way over each link ${2 * links}`,
      ...killed.map(sayOutages),
    ],
    claims: [
      { says: `no update takes over ${2 * links} messages on average`, holds: per <= 2 * links },
      ...killed.flatMap(claimsOf),
    ],
    charts: drawn.charts,
    tables: [...drawn.tables, ...killed.map(tableOf)],
    setup: [
      'Five servers (drover herd serve), each a process, linked as the course has it; Bailey’s herd without sync, as the course’s graders expect',
      'Each server is told of clients one after the other (IAMAT, each another client), on one connection; the next is sent when all five have had it. A WebSocket at each server tells this process of what it hears, which takes part of a millisecond; an update that was everywhere before its answer counts as 0',
      'Messages are the records that servers count as sent over their links, without acknowledgements and pings',
      'Killed: SIGKILL; then each of the others is told of a client of its own, and all are asked (GET /v1/clients/ID) who knows it; then the server is started again, asked for what it missed, and told of a new client',
    ],
  }
}

function sayOutages({ herd, outages }: Killed): string {
  const heard = sum(outages, ({ heard }) => heard)
  const cut = outages.filter(({ cutOff }) => cutOff > 0).map(({ victim }) => victim)
  const caughtUp = sum(outages, ({ caughtUp }) => caughtUp)
  const missed = sum(outages, ({ missed }) => missed)
  const parted =
    cut.length === 0
      ? 'no single server parts the others'
      : `without ${cut.join(', ')} the others are parted, and know only of their own side`
  return `${herd.name}: with one server dead the others heard ${heard} of ${sum(outages, ({ reachable }) => reachable)} updates that a path leads to; ${parted}; back again, servers knew ${caughtUp} of ${missed} updates that they had missed`
}

function claimsOf({ herd, outages }: Killed) {
  return [
    {
      says: `${herd.name}: whoever a path leads to hears of every update, and nobody else does`,
      holds: outages.every(
        ({ heard, reachable, heardCutOff }) => heard === reachable && heardCutOff === 0,
      ),
    },
    {
      says: herd.sync
        ? `${herd.name}: a server that comes back is told all that it missed`
        : `${herd.name}: a server that comes back is told nothing old`,
      holds: outages.every(({ caughtUp, missed }) => caughtUp === (herd.sync ? missed : 0)),
    },
    {
      says: `${herd.name}: what a server is told after its return is known to all`,
      holds: outages.every(({ isBack }) => isBack),
    },
  ]
}

function tableOf({ herd, outages }: Killed): Table {
  return {
    title: `${herd.name}: each server killed in turn`,
    heading: [
      'killed',
      'heard',
      'should hear',
      'cut off',
      'knew again',
      'had missed',
      'works again',
    ],
    rows: outages.map(({ victim, heard, reachable, cutOff, caughtUp, missed, isBack }) => [
      ...[victim, heard, reachable, cutOff, caughtUp, missed],
      isBack ? 'yes' : 'no',
    ]),
  }
}

function sum<Item>(items: readonly Item[], numberOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + numberOf(item), 0)
}
