import type { JobsClient } from '@drover/jobs'
import { Command } from 'commander'
import { fault } from '../../errors.ts'
import { say, table } from '../../terminal.ts'
import { wholeNumber } from '../numbers.ts'
import { asClient, type ClientOptions, withClient } from './jobs-client.ts'
import { follow, lineOf } from './jobs-follow.ts'
import { loginCommand, logoutCommand } from './jobs-login.ts'
import { serveCommand } from './jobs-serve.ts'
import { submitCommand } from './jobs-submit.ts'

const examples = `Examples:
  drover jobs serve --data ./jobs --listen 127.0.0.1:8000
  drover jobs login --register ann@example.org
  drover jobs submit --type 3 --watch https://example.org/ https://example.com/
  drover jobs list --state dead
  drover jobs retry --dead
  drover jobs result 0198f3c2-…

Who asks: what login kept, or --token, or DROVER_JOBS_TOKEN.`

/** `drover jobs`: runs the fetch jobs, and talks to them. */
export function jobsCommand(): Command {
  const jobs = new Command('jobs')
    .description('Fetches pages for many users, loses no request, and calls back.')
    .addHelpText('after', `\n${examples}`)
  const clients = [submitCommand(), list(), watch(), cancel(), retry(), result()]
  for (const command of [serveCommand(), loginCommand(), logoutCommand(), ...clients])
    jobs.addCommand(command)
  return jobs
}

function list(): Command {
  const command = new Command('list')
    .description('Lists jobs, the newest first.')
    .option('--state <state>', 'only these')
    .option('--batch <batch>', 'only these')
    .option('--limit <number>', 'how many', wholeNumber('--limit', 1, 500), 20)
  interface ListOptions extends ClientOptions {
    readonly state?: string
    readonly batch?: string
    readonly limit: number
  }
  return withClient(command).action((options: ListOptions) =>
    asClient(options, async (client) => {
      const { state, batch, limit } = options
      const jobs = await client.list({
        limit: String(limit),
        ...(state === undefined ? {} : { state }),
        ...(batch === undefined ? {} : { batch }),
      })
      const rows = jobs.map(({ id, type, state: now, url, reason }) => [
        ...[id, `${type}`, now, url],
        reason?.message ?? '',
      ])
      say(table(['job', 'type', 'state', 'page', 'why'], rows))
    }),
  )
}

function watch(): Command {
  const command = new Command('watch')
    .description('Shows jobs as they change; those of a batch until all have ended.')
    .argument('[batch]')
  return withClient(command).action((batch: string | undefined, options: ClientOptions) =>
    asClient(options, async (client) => {
      await follow(client, batch)
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
  return withClient(command).action((id: string | undefined, options: ManyOptions) =>
    asClient(options, async (client) => {
      const { batch } = options
      if (batch !== undefined) say(`${await client.cancelBatch(batch)} jobs cancelled`)
      else say(lineOf(await client.cancel(needed(id, 'a job, or --batch'))))
    }),
  )
}

function retry(): Command {
  const command = new Command('retry')
    .description('Starts a job that has ended again, or all that are dead.')
    .argument('[job]')
    .option('--dead', 'all dead jobs')
    .option('--batch <batch>', 'with --dead, only those of this batch')
  return withClient(command).action((id: string | undefined, options: ManyOptions) =>
    asClient(options, async (client) => {
      if (options.dead) say(`${await retryDead(client, options.batch)} jobs start again`)
      else say(lineOf(await client.retry(needed(id, 'a job, or --dead'))))
    }),
  )
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
