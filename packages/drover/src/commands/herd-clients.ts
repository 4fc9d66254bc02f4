import type { TopologyServer } from '@drover/herd'
import { parseAddress, seededRandom, systemRandom } from '@drover/kernel'
import { Command } from 'commander'
import { fault } from '../errors.ts'
import { say } from '../terminal.ts'
import { advised } from './advice.ts'
import { positiveNumber, wholeNumber } from './numbers.ts'

interface ClientOptions {
  readonly topology: string
}

interface StormFlags {
  readonly clients: number
  readonly rate: number
  readonly seconds?: number
  readonly seed?: number
  readonly around?: string
  readonly within?: number
}

/** `drover herd say`. */
export function sayWhere(): Command {
  return withTopology(new Command('say'))
    .description('Tells a server where a client is now.')
    .argument('<server>')
    .argument('<client>')
    .argument('<location>', 'as +34.068930-118.445127')
    .action(async (name: string, client: string, location: string, options: ClientOptions) => {
      const { sayToHerd } = await import('@drover/herd')
      const server = await findServer(name, options)
      const to = { address: server.address, client }
      say(accepted(name, await reaching(() => sayToHerd(to, location)), sayHint))
    })
}

/** `drover herd ask`. */
export function ask(): Command {
  return withTopology(new Command('ask'))
    .description('Asks a server for places near a client.')
    .argument('<server>')
    .argument('<client>')
    .argument('[radius]', 'in km, 0 to 50', radiusKm, 10)
    .argument('[bound]', 'places at most, 0 to 20', wholeNumber('bound', 0, 20), 5)
    .action(
      async (name: string, client: string, radius: number, bound: number, given: ClientOptions) => {
        const { askHerd } = await import('@drover/herd')
        const server = await findServer(name, given)
        const to = { address: server.address, client }
        say(accepted(name, await reaching(() => askHerd(to, radius, bound)), askHint))
      },
    )
}

/** `drover herd watch`. */
export function watch(): Command {
  return new Command('watch')
    .description('Shows who enters, leaves and moves in a circle, until ctrl-c.')
    .argument('<address>', "a server's HTTP address")
    .argument('<latitude>', 'in degrees; -- before a negative one')
    .argument('<longitude>', 'in degrees')
    .argument('<radius>', 'in km')
    .action(async (address: string, latitude: string, longitude: string, radius: string) => {
      const { watchHerd } = await import('@drover/herd')
      const center = { latitude: Number(latitude), longitude: Number(longitude) }
      const stop = new AbortController()
      process.once('SIGINT', () => stop.abort())
      await watchHerd(
        parseAddress(address),
        { kind: 'circle', center, radiusKm: Number(radius) },
        ({ event, client, latitude: north, longitude: east, server }) =>
          say(`${event.padEnd(5)} ${client} at ${north}, ${east} (${server})`),
        stop.signal,
      )
    })
}

/** `drover herd storm`: load for maps and demonstrations. */
export function storm(): Command {
  return new Command('storm')
    .description('Has clients walk over the map and tell random servers, until ctrl-c.')
    .argument('[topology]', 'bailey, goloman or a file', 'bailey')
    .option('--clients <count>', 'how many walk', wholeNumber('--clients', 1, 100_000), 200)
    .option(
      '--rate <lines>',
      'lines a second, of all together',
      positiveNumber('--rate', 20_000),
      50,
    )
    .option('--around <location>', 'they stay around here, as +34.07-118.45; default: anywhere')
    .option(
      '--within <km>',
      'how far from there they go; default 20',
      positiveNumber('--within', 20_016),
    )
    .option(
      '--seconds <count>',
      'ends by itself after so long',
      positiveNumber('--seconds', 86_400),
    )
    .option(
      '--seed <number>',
      'the same seed walks the same ways',
      wholeNumber('--seed', 0, 2 ** 31),
    )
    .action(async (nameOrFile: string, flags: StormFlags) => {
      const { findTopology, stormHerd } = await import('@drover/herd')
      const topology = await findTopology(nameOrFile)
      const around = flags.around === undefined ? undefined : parsePlace(flags.around)
      const count = topology.servers.length
      say(
        `${flags.clients} clients, ${flags.rate} lines a second, ${count} servers; ctrl-c ends it`,
      )
      await stormHerd(
        {
          topology,
          clients: flags.clients,
          rate: flags.rate,
          random: flags.seed === undefined ? systemRandom : seededRandom(flags.seed),
          ...(around && { around, withinKm: flags.within ?? 20 }),
        },
        ({ said, answered, refused }, { length }) =>
          say(
            `${said} said, ${answered} answered, ${refused} refused; ${length} of ${count} servers`,
          ),
        untilStopped(flags.seconds),
      )
    })
}

/** Aborts after so many seconds, at ctrl-c or SIGTERM. */
function untilStopped(seconds: number | undefined): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  return seconds === undefined
    ? stop.signal
    : AbortSignal.any([stop.signal, AbortSignal.timeout(seconds * 1_000)])
}

function parsePlace(text: string): { latitude: number; longitude: number } {
  const [, north, east] = /^([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)$/.exec(text) ?? []
  const [latitude, longitude] = [Number(north), Number(east)]
  if (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return { latitude, longitude }
  throw fault('USAGE', `--around: expected a place as +34.07-118.45, not "${text}"`)
}

function radiusKm(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) <= 50) return Number(text)
  throw fault('USAGE', `radius: expected a number from 0 to 50, not "${text}"`)
}

/** Adds the flag that names the topology. */
export function withTopology(command: Command): Command {
  return command.option('-t, --topology <name>', 'bailey, goloman or a file', 'bailey')
}

const howToReach = 'drover herd up runs its servers, --topology names where others are'

function reaching(work: () => Promise<string>): Promise<string> {
  return advised(['HERD_SILENT'], howToReach, work)
}

const sayHint = 'a location is two signed decimals, as +34.068930-118.445127'
const askHint = 'perhaps it has not heard of the client, or reaches no places'

/** Returns the answer without its last line ends. Throws HERD_REFUSES when it begins with a question mark. */
function accepted(server: string, answer: string, hint: string): string {
  const text = answer.trimEnd()
  if (!text.startsWith('? ')) return text
  throw fault('HERD_REFUSES', `${server} refuses "${text.slice(2)}": ${hint}`)
}

async function findServer(name: string, { topology }: ClientOptions): Promise<TopologyServer> {
  const { findTopology, serverOf } = await import('@drover/herd')
  return serverOf(await findTopology(topology), name)
}
