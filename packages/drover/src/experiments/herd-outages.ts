import { sayToHerd } from '@drover/herd'
import { clientAt, type HerdLab } from './herd-lab.ts'
import { until } from './until.ts'

const heardMsMax = 10_000
const location = '+34.068930-118.445127'

/** One server was killed; what became of the updates that the others were told, and what it knew when it was back. */
export interface Outage {
  readonly victim: string
  /** Pairs of another server and a server that a path leads to without the victim. */
  readonly reachable: number
  /** How many of these had the update. */
  readonly heard: number
  /** Pairs that no path joins while the victim is dead. */
  readonly cutOff: number
  /** How many of these had the update all the same: there is no way, so none may. */
  readonly heardCutOff: number
  /** Updates that were told while it was away, and how many of them it knew when it was back. */
  readonly missed: number
  readonly caughtUp: number
  /** Whether an update told to it after its return reached everybody. */
  readonly isBack: boolean
}

/** Kills a server, tells each other one of a client, sees who knows of it, and starts the server again. */
export async function killInTurn(herd: HerdLab, victim: string): Promise<Outage> {
  await herd.kill(victim)
  const living = herd.names.filter((name) => name !== victim)
  const counts = { reachable: 0, heard: 0, cutOff: 0, heardCutOff: 0 }
  for (const entry of living) {
    await tell(herd, entry, clientOf(victim, entry))
    const near = reachableFrom(herd, entry, living)
    counts.reachable += near.length
    counts.heard += await awaitHeard(herd, clientOf(victim, entry), near)
    const far = living.filter((name) => !near.includes(name))
    counts.cutOff += far.length
    counts.heardCutOff += await countHeard(herd, clientOf(victim, entry), far)
  }
  await herd.revive(victim)
  const [fresh, told] = [`back-${victim}`, living.map((entry) => clientOf(victim, entry))]
  await tell(herd, victim, fresh)
  const isBack = (await awaitHeard(herd, fresh, living)) === living.length
  const caughtUp = await awaitCaughtUp(herd, victim, told)
  return { victim, ...counts, missed: told.length, caughtUp, isBack }
}

function clientOf(victim: string, entry: string): string {
  return `without-${victim}-at-${entry}`
}

async function tell(herd: HerdLab, name: string, client: string): Promise<void> {
  await sayToHerd({ address: herd.server(name).address, client }, location)
}

/** Returns those of `living` that `from` has a path to among them, itself included. */
function reachableFrom(
  { links }: HerdLab,
  from: string,
  living: readonly string[],
): readonly string[] {
  const found = new Set([from])
  for (const name of found)
    for (const [one, two] of links) {
      const other = one === name ? two : two === name ? one : undefined
      if (other !== undefined && living.includes(other)) found.add(other)
    }
  return [...found]
}

/** Waits until all of `names` know the client, or ten seconds, and returns how many do. */
async function awaitHeard(
  herd: HerdLab,
  client: string,
  names: readonly string[],
): Promise<number> {
  const all = async () => (await countHeard(herd, client, names)) === names.length
  await until('everybody knows it', heardMsMax, all).catch(() => {
    // The count says how many do.
  })
  return countHeard(herd, client, names)
}

async function countHeard(
  herd: HerdLab,
  client: string,
  names: readonly string[],
): Promise<number> {
  const known = await Promise.all(names.map((name) => clientAt(herd.server(name), client)))
  return known.filter((found) => found !== undefined).length
}

/** With sync it is told what it missed, soon; without it never is, so nothing is waited for. */
async function awaitCaughtUp(
  herd: HerdLab,
  name: string,
  clients: readonly string[],
): Promise<number> {
  const count = async () => {
    const known = await Promise.all(clients.map((client) => clientAt(herd.server(name), client)))
    return known.filter((found) => found !== undefined).length
  }
  if (!herd.sync) return count()
  await until('it has caught up', heardMsMax, async () => (await count()) === clients.length).catch(
    () => {
      // The count says how far it has come.
    },
  )
  return count()
}
