import { parseDuration } from '@drover/kernel'
import { replicasMax } from '@drover/supervisor'
import { Command } from 'commander'
import type { FindOptions } from '../admin/find.ts'
import type { FaultBody } from '../admin/schemas.ts'
import { describeFault, faultDelayMsMax } from '../describe-fault.ts'
import { fault } from '../errors.ts'
import { say } from '../terminal.ts'
import { positiveNumber, share, wholeNumber } from './numbers.ts'
import { numberOr, readPair } from './pairs.ts'
import { happenings, instanceOf, route, withInstance } from './remote.ts'

/** As in the configuration. */
const weightMax = 1_000

interface Accepted {
  readonly since: number
}

/** The commands that change a running instance. */
export function changeCommands(): Command[] {
  return [
    scaleCommand(),
    restartCommand(),
    drainCommand(),
    killCommand(),
    faultCommand(),
    weightCommand(),
    policyCommand(),
    reloadCommand(),
  ].map(withInstance)
}

function scaleCommand(): Command {
  return new Command('scale')
    .description('Runs this many replicas of a service from now on.')
    .argument('<service>')
    .argument('<replicas>', 'how many', wholeNumber('replicas', 0, replicasMax))
    .action(async (service: string, replicas: number, options: FindOptions) => {
      const client = await instanceOf(options)
      await client.post(route`/v1/services/${service}/scale`, { replicas })
      say(`${service}: ${replicas} replicas from now on`)
    })
}

function restartCommand(): Command {
  return new Command('restart')
    .description('Replaces every replica of a service by a new one, one by one, losing no request.')
    .argument('<service>')
    .option('--no-wait', 'returns at once')
    .action(async (service: string, options: FindOptions & { wait: boolean }) => {
      const client = await instanceOf(options)
      const { since } = await client.post<Accepted>(route`/v1/services/${service}/restart`)
      if (!options.wait) return
      for await (const { kind, message, level } of happenings(client, since, service)) {
        if (level !== 'detail') say(message)
        if (kind === 'drover.restart.done') return
        if (kind === 'drover.restart.failed') throw fault('RESTART_FAILED', message)
      }
    })
}

function drainCommand(): Command {
  return new Command('drain')
    .description('Gives a replica nothing new; it goes on with what it has, and runs on.')
    .argument('<service>')
    .argument('<replica>', 'its name ("Server 2"), or its number')
    .option('--undo', 'takes that back')
    .action(async (service: string, replica: string, options: FindOptions & { undo?: boolean }) => {
      const client = await instanceOf(options)
      const undo = options.undo === true
      await client.post(route`/v1/services/${service}/replicas/${replica}/drain`, { undo })
      say(`${service}: ${replica} ${undo ? 'gets requests again' : 'gets nothing new'}`)
    })
}

function killCommand(): Command {
  return new Command('kill')
    .description('Kills a replica as a crash would, to see what happens.')
    .argument('<service>')
    .argument('<replica>', 'its name ("Server 2"), or its number')
    .action(async (service: string, replica: string, options: FindOptions) => {
      const client = await instanceOf(options)
      await client.post(route`/v1/services/${service}/replicas/${replica}/kill`)
      say(`${service}: ${replica} was killed`)
    })
}

function faultCommand(): Command {
  return new Command('fault')
    .description('Has a replica answer late or with 500, if it is one that takes faults.')
    .argument('<service>')
    .argument('<replica>', 'its name ("Server 2"), or its number')
    .option('--delay <duration>', 'how much later it answers, as 500ms; at most 60s', readDelay)
    .option(
      '--fail <share>',
      'the share of its requests answered with 500, from 0 to 1',
      share('--fail'),
    )
    .option('--heartbeat', 'its /heartbeat suffers as well, so that health checks notice')
    .option('--end', 'it answers as it should again')
    .addHelpText(
      'after',
      `
The sample server takes faults; a server of yours does if it has POST /fault as that has.

Examples:
  drover fault web 2 --delay 500ms                 the slow one gets fewer requests, by most policies
  drover fault web 2 --fail 0.5                    every other answer is a 500
  drover fault web 2 --fail 1 --heartbeat          its checks fail, so another takes its place
  drover fault web 2 --end`,
    )
    .action(async (service: string, replica: string, options: FaultOptions) => {
      const body = faultOf(options)
      const client = await instanceOf(options)
      await client.post(route`/v1/services/${service}/replicas/${replica}/fault`, body)
      say(`${service}: ${replica} ${describeFault(body)}`)
    })
}

interface FaultOptions extends FindOptions {
  readonly delay?: number
  readonly fail?: number
  readonly heartbeat?: boolean
  readonly end?: boolean
}

/** Half a fault may be left out, but not all of it: that ends one, which must be meant. */
function faultOf({ delay, fail, heartbeat = false, end = false }: FaultOptions): FaultBody {
  const isAsked = delay !== undefined || fail !== undefined
  if (end && (isAsked || heartbeat)) throw fault('USAGE', '--end excludes the other options')
  if (!end && !isAsked) throw fault('USAGE', 'say --delay, --fail or both, or --end')
  return { delayMs: delay ?? 0, failShare: fail ?? 0, heartbeat }
}

function weightCommand(): Command {
  return new Command('weight')
    .description("Changes a replica's share beside the others, until the next reload.")
    .argument('<service>')
    .argument('<replica>', 'its name ("Server 2"), or its number')
    .argument(
      '<weight>',
      'above 0; the others have 1 if nothing was said',
      positiveNumber('weight', weightMax),
    )
    .action(async (service: string, replica: string, weight: number, options: FindOptions) => {
      const client = await instanceOf(options)
      await client.post(route`/v1/services/${service}/replicas/${replica}/weight`, { weight })
      say(`${service}: ${replica} has weight ${weight}`)
    })
}

function policyCommand(): Command {
  return new Command('policy')
    .description('Spreads the requests of a service otherwise, until the next reload.')
    .argument('<service>')
    .argument('<name>', 'as in drover balance --help')
    .option('--key <source>', 'what hashed policies hash')
    .option('--policy-option <name=value...>', 'what the policy knows')
    .action(async (service: string, name: string, options: PolicyOptions) => {
      const client = await instanceOf(options)
      const { key, policyOption = [] } = options
      await client.post(route`/v1/services/${service}/policy`, {
        name,
        ...(key === undefined ? {} : { key }),
        options: Object.fromEntries(policyOption.map(readOption)),
      })
      say(`${service}: ${name} from now on`)
    })
}

interface PolicyOptions extends FindOptions {
  readonly key?: string
  readonly policyOption?: readonly string[]
}

function reloadCommand(): Command {
  return new Command('reload')
    .description(
      'Reads drover.yaml again, without dropping a connection. A bad one is refused whole.',
    )
    .action(async (options: FindOptions) => {
      const client = await instanceOf(options)
      await client.post('/v1/reload')
      say('the new configuration is in effect')
    })
}

function readDelay(text: string): number {
  try {
    const delayMs = Math.round(parseDuration(text))
    if (delayMs <= faultDelayMsMax) return delayMs
  } catch {
    // Said below, with the bounds.
  }
  throw fault('USAGE', `--delay: expected a duration from 0ms to 60s, not "${text}"`)
}

function readOption(pair: string): [string, number | string] {
  const [name, value] = readPair('--policy-option', pair)
  return [name, numberOr(value)]
}
