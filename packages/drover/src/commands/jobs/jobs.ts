import type { JobsClient } from '@drover/jobs'
import { Command, Option } from 'commander'
import { fault } from '../../errors.ts'
import { say, table } from '../../terminal.ts'
import { wholeNumber } from '../numbers.ts'
import { asClient, type ClientOptions, withClient, withJson } from './jobs-client.ts'
import { follow, showAs } from './jobs-follow.ts'
import { loginCommand, logoutCommand } from './jobs-login.ts'
import { scheduleCommands } from './jobs-schedules.ts'
import { serveCommand } from './jobs-serve.ts'
import { submitCommand } from './jobs-submit.ts'

const examples = `Examples:
  drover jobs serve --data ./jobs --listen 127.0.0.1:8000
  drover jobs login --register ann@example.org
  drover jobs submit --type 3 --watch https://example.org/ https://example.com/
  drover jobs list --state dead
  drover jobs retry --dead
  drover jobs result 0198f3c2-…
  drover jobs add-schedule '0 9 * * 1-5' https://example.org/ --time-zone Europe/Berlin
  drover jobs list --state dead --json | jq -r .url

Who asks: what login kept, or --token, or DROVER_JOBS_TOKEN.`

const states = [
  ...['delayed', 'waiting', 'publishing', 'queued', 'working'],
  ...['done', 'dead', 'cancelled'],
]

/** `drover jobs`: runs the fetch jobs, and talks to them. */
export function jobsCommand(): Command {
  const jobs = new Command('jobs')
    .description('Fetches pages for many users, loses no request, and calls back.')
    .addHelpText('after', `\n${examples}`)
  const clients = [submitCommand(), list(), watch(), cancel(), retry(), result()]
  const who = [loginCommand(), logoutCommand()]
  for (const command of [serveCommand(), ...who, ...clients, ...scheduleCommands()])
    jobs.addCommand(command)
  return jobs
}

interface ListOptions extends ClientOptions {
  readonly state?: string
  readonly type?: number
  readonly batch?: string
  readonly limit: number
}

function list(): Command {
  const command = new Command('list')
    .description('Lists jobs, the newest first.')
    .addOption(new Option('--state <state>', 'only these').choices(states))
    .option('--type <number>', 'only these', wholeNumber('--type', 1, 3))
    .option('--batch <batch>', 'only these')
    .option('--limit <number>', 'how many', wholeNumber('--limit', 1, 100_000), 20)
  return withClient(withJson(command)).action((options: ListOptions) =>
    asClient(options, async (client) => {
      const found = await client.list(queryOf(options), options.limit)
      if (options.json) {
        for (const job of found) say(JSON.stringify(job))
        return
      }
      const rows = found.map(({ id, type, state: now, url, reason }) => [
        ...[id, `${type}`, now, url],
        reason?.message ?? '',
      ])
      say(table(['job', 'type', 'state', 'page', 'why'], rows))
    }),
  )
}

function queryOf({ state, type, batch }: ListOptions): Record<string, string> {
  return {
    ...(state === undefined ? {} : { state }),
    ...(type === undefined ? {} : { type: `${type}` }),
    ...(batch === undefined ? {} : { batch }),
  }
}

function watch(): Command {
  const command = new Command('watch')
    .description('Shows jobs as they change; those of a batch until all have ended.')
    .argument('[batch]')
  return withClient(withJson(command)).action((batch: string | undefined, options: ClientOptions) =>
    asClient(options, async (client) => {
      await follow(client, { batch, show: showAs(options) })
    }),
  )
}

interface ManyOptions extends ClientOptions {
  readonly batch?: string
  readonly dead?: boolean
}

function cancel(): Command {
  const command = new Command('cancel')
    .description('Ends a job, or what of a batch has not ended.')
    .argument('[job]')
    .option('--batch <batch>', 'all of this batch')
  return withClient(withJson(command)).action((id: string | undefined, options: ManyOptions) =>
    asClient(options, async (client) => {
      const { batch } = options
      if (id !== undefined && batch !== undefined)
        throw fault('USAGE', 'a job or --batch, not both: a batch is cancelled whole')
      if (batch !== undefined) sayCount(await client.cancelBatch(batch), 'jobs cancelled', options)
      else say(showAs(options)(await client.cancel(needed(id, 'a job, or --batch'))))
    }),
  )
}

function retry(): Command {
  const command = new Command('retry')
    .description('Starts a job that has ended again, or all that are dead.')
    .argument('[job]')
    .option('--dead', 'all dead jobs')
    .option('--batch <batch>', 'with --dead, only those of this batch')
  return withClient(withJson(command)).action((id: string | undefined, options: ManyOptions) =>
    asClient(options, async (client) => {
      const { dead = false, batch } = options
      if (batch !== undefined && !dead) throw fault('USAGE', '--batch: goes with --dead')
      if (id !== undefined && dead) throw fault('USAGE', 'a job or --dead, not both')
      if (dead) sayCount(await retryDead(client, batch), 'jobs start again', options)
      else say(showAs(options)(await client.retry(needed(id, 'a job, or --dead'))))
    }),
  )
}

function sayCount(count: number, what: string, { json }: ManyOptions): void {
  say(json ? JSON.stringify({ count }) : `${count} ${what}`)
}

/** What the API starts at one time. */
const atOnceMax = 1_000

async function retryDead(client: JobsClient, batch?: string): Promise<number> {
  for (let all = 0; ; ) {
    const found = await client.retryDead(batch)
    all += found
    if (found < atOnceMax) return all
  }
}

function result(): Command {
  const command = new Command('result')
    .description('Prints what a job made of its page.')
    .argument('<job>')
  return withClient(command).action((id: string, options: ClientOptions) =>
    asClient(options, async (client) => {
      process.stdout.write(await client.result(id))
    }),
  )
}

function needed(id: string | undefined, what: string): string {
  if (id === undefined) throw fault('USAGE', `which? name ${what}`)
  return id
}
