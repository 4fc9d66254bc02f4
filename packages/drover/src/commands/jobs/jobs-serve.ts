import type { Part } from '@drover/jobs'
import { createLog } from '@drover/kernel'
import { Command, Option } from 'commander'
import { fault } from '../../errors.ts'
import { say } from '../../terminal.ts'
import { addressText } from '../addresses.ts'
import { wholeNumber } from '../numbers.ts'
import { hearStopping } from '../stopping.ts'
import { serveHerd } from './jobs-herd.ts'

/** What `drover jobs serve` is told. */
export interface ServeOptions {
  readonly parts?: readonly Part[]
  readonly listen: string
  readonly replicas?: number
  readonly workers: number
  readonly data: string
  readonly store?: string
  readonly queue?: string
  readonly allow?: readonly string[]
  readonly hostDelay?: number
  readonly ignoreRobots?: boolean
  readonly replicaId: string
  readonly behindDoor?: boolean
  readonly adminEmail?: string
  readonly adminPassword?: string
  readonly setupToken?: string
}

/** `drover jobs serve`: all in this process, some parts of it, or each part in processes of its own. */
export function serveCommand(): Command {
  const command = new Command('serve').description(
    'Runs API, queue, store and workers in the foreground, or some of these.',
  )
  for (const option of [...placeOptions(), ...partOptions(), ...adminOptions()])
    command.addOption(option)
  return command.action(async (options: ServeOptions) => {
    await checkAllowed(options.allow ?? [])
    if (options.replicas === undefined && command.getOptionValueSource('workers') === 'cli')
      throw fault('USAGE', '--workers: goes with --replicas; one process has one worker')
    if (options.replicas === undefined) return serveHere(options)
    if (options.parts) throw fault('USAGE', '--replicas: runs all parts; leave out --parts')
    return serveHerd(options, adminOf(options))
  })
}

/** Refuses what would end each process that is started with it. */
async function checkAllowed(allow: readonly string[]): Promise<void> {
  const { createGuard } = await import('@drover/jobs')
  try {
    createGuard(allow)
  } catch (cause) {
    throw fault('USAGE', `--allow: ${(cause as Error).message}`, { cause })
  }
}

function placeOptions(): Option[] {
  return [
    new Option('--listen <address>', 'the API')
      .argParser(addressText('--listen'))
      .default('127.0.0.1:8000'),
    new Option('--data <folder>', 'where everything is kept').default('.drover/jobs'),
    new Option('--store <url>', 'postgres://…, or the path of a file in place of one there').env(
      'DROVER_JOBS_STORE',
    ),
    new Option('--queue <address>', 'a queue that runs already: HOST:PORT, amqp://… or nats://…')
      .argParser(queueText)
      .env('DROVER_JOBS_QUEUE'),
  ]
}

function partOptions(): Option[] {
  return [
    new Option(
      '--replicas <number>',
      'API replicas, and every step a process of its own',
    ).argParser(wholeNumber('--replicas', 1, 64)),
    new Option('--workers <number>', 'worker processes, with --replicas')
      .argParser(wholeNumber('--workers', 1, 64))
      .default(2),
    new Option('--parts <parts...>', 'what this process does; default all').choices([
      'api',
      'recorder',
      'publisher',
      'worker',
      'sender',
    ]),
    new Option('--allow <addresses...>', 'fetch these although they are not public'),
    new Option('--host-delay <ms>', 'between two requests to one host').argParser(
      wholeNumber('--host-delay', 0, 3_600_000),
    ),
    new Option('--ignore-robots', 'fetch what robots.txt excludes: for sites of your own'),
    new Option('--replica-id <id>', 'told in the answers').env('DROVER_REPLICA').default('1'),
    new Option('--behind-door', 'believe the last address of x-forwarded-for'),
  ]
}

/** Passwords and tokens come by the environment rather than by the command line, which all can see. */
function adminOptions(): Option[] {
  return [
    new Option('--admin-email <email>').env('DROVER_JOBS_ADMIN_EMAIL'),
    new Option('--admin-password <password>').env('DROVER_JOBS_ADMIN_PASSWORD'),
    new Option('--setup-token <token>').env('DROVER_JOBS_SETUP_TOKEN').hideHelp(),
  ]
}

function queueText(text: string): string {
  return /^[a-z]+:\/\//.test(text) ? text : addressText('--queue')(text)
}

/** Everything, or `--parts`, in this process. */
async function serveHere(options: ServeOptions): Promise<void> {
  const stopping = hearStopping()
  makeRoomForLookUps(options)
  const { startJobs } = await import('@drover/jobs')
  const jobs = await stopping.unlessAsked(startJobs(toSettings(options)))
  say(`jobs: ${jobs.url}, data in ${options.data}`)
  if (jobs.setupToken !== undefined && options.setupToken === undefined)
    say(`no admin yet; POST ${jobs.url}/v1/setup takes this token once: ${jobs.setupToken}`)
  await stopping.asked
  await jobs.stop()
}

/**
 * Looking up a name holds one of Node's threads, of which there are four: slow names would stop all
 * else that needs one. Node starts them when the first is needed, as many as this says by then.
 */
function makeRoomForLookUps({ parts = ['worker', 'sender'] }: ServeOptions): void {
  if (parts.includes('worker') || parts.includes('sender')) process.env.UV_THREADPOOL_SIZE ??= '64'
}

function toSettings(options: ServeOptions) {
  const { replicaId, behindDoor: trustForwarded = false, hostDelay, ...rest } = options
  const { ignoreRobots = false } = options
  const admin = adminOf(options)
  return {
    ...rest,
    log: createLog('jobs'),
    api: { replicaId: /^\d+$/.test(replicaId) ? Number(replicaId) : replicaId, trustForwarded },
    fetching: {
      robots: !ignoreRobots,
      ...(hostDelay === undefined ? {} : { hostDelayMs: hostDelay }),
    },
    ...(admin ? { admin } : {}),
  }
}

function adminOf({ adminEmail: email, adminPassword: password }: ServeOptions) {
  if ((email === undefined) !== (password === undefined))
    throw fault('USAGE', '--admin-email and --admin-password go together')
  return email !== undefined && password !== undefined ? { email, password } : undefined
}
