import type { JobsClient, JobView } from '@drover/jobs'
import { Command, Option } from 'commander'
import { fault } from '../errors.ts'
import { say, table } from '../terminal.ts'
import { serveCommand } from './jobs-serve.ts'
import { wholeNumber } from './numbers.ts'

const examples = `Examples:
  drover jobs serve --data ./jobs --listen 127.0.0.1:8000
  drover jobs submit --type 3 --watch https://example.org/ https://example.com/
  drover jobs list --state dead
  drover jobs result 0198f3c2-…

The other commands need a token: --token, or DROVER_JOBS_TOKEN. POST /token gives one.`

interface ClientOptions {
  readonly url: string
  readonly token?: string
}

/** `drover jobs`: runs the fetch jobs, and talks to them. */
export function jobsCommand(): Command {
  const jobs = new Command('jobs')
    .description('Fetches pages for many users, loses no request, and calls back.')
    .addHelpText('after', `\n${examples}`)
  for (const command of [serveCommand(), submit(), list(), watch(), cancel(), retry(), result()])
    jobs.addCommand(command)
  return jobs
}

function withClient(command: Command): Command {
  return command
    .option('--url <url>', 'the API', 'http://127.0.0.1:8000')
    .addOption(new Option('--token <token>', 'who asks').env('DROVER_JOBS_TOKEN'))
}

async function connect({ url, token }: ClientOptions): Promise<JobsClient> {
  if (token === undefined) throw fault('USAGE', '--token: missing; POST /token gives one')
  const { JobsClient } = await import('@drover/jobs')
  return new JobsClient({ url, token })
}

interface SubmitOptions extends ClientOptions {
  readonly type: number
  readonly callback?: string
  readonly watch?: boolean
}

function submit(): Command {
  const command = new Command('submit')
    .description('Submits pages to fetch, as one batch.')
    .argument('<urls...>', 'the pages')
    .option('--type <number>', '1 text, 2 HTML, 3 domains', wholeNumber('--type', 1, 3), 1)
    .option('--callback <url>', 'called when a job has ended')
    .option('-w, --watch', 'shows how they end')
  return withClient(command).action(async (urls: string[], options: SubmitOptions) => {
    const client = await connect(options)
    const { type, callback } = options
    const more = callback === undefined ? { type } : { type, callbackUrl: callback }
    const { batch, ids } = await client.submit(urls, more)
    say(`batch ${batch}`)
    if (options.watch) await follow(client, batch, ids.length)
    else for (const id of ids) say(id)
  })
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
  return withClient(command).action(async (options: ListOptions) => {
    const { state, batch, limit } = options
    const jobs = await (await connect(options)).list({
      limit: String(limit),
      ...(state === undefined ? {} : { state }),
      ...(batch === undefined ? {} : { batch }),
    })
    say(table(['job', 'type', 'state', 'page', 'why'], jobs.map(row)))
  })
}

function watch(): Command {
  const command = new Command('watch')
    .description('Shows jobs as they change; those of a batch until all have ended.')
    .argument('[batch]')
  return withClient(command).action(async (batch: string | undefined, options: ClientOptions) =>
    follow(await connect(options), batch),
  )
}

function cancel(): Command {
  return onOne('cancel', 'Ends a job that has not ended.', async (client, id) =>
    say(row(await client.cancel(id)).join('  ')),
  )
}

function retry(): Command {
  return onOne('retry', 'Starts a job that has ended again.', async (client, id) =>
    say(row(await client.retry(id)).join('  ')),
  )
}

function result(): Command {
  return onOne('result', 'Prints what a job made of its page.', async (client, id) => {
    process.stdout.write(await client.result(id))
  })
}

function onOne(
  name: string,
  description: string,
  act: (client: JobsClient, id: string) => Promise<void>,
): Command {
  const command = new Command(name).description(description).argument('<job>')
  return withClient(command).action(async (id: string, options: ClientOptions) =>
    act(await connect(options), id),
  )
}

const ended = new Set(['done', 'dead', 'cancelled'])

/** Prints every change, with how many of `total` have ended. */
async function follow(client: JobsClient, batch?: string, total?: number): Promise<void> {
  const endings = new Set<string>()
  for await (const job of client.watch(batch)) {
    if (ended.has(job.state)) endings.add(job.id)
    const progress = total === undefined ? [] : [`${endings.size}/${total}`]
    say([...progress, ...row(job)].join('  '))
  }
}

function row({ id, type, state, url, reason }: JobView): string[] {
  return [id, String(type), state, url, reason?.message ?? '']
}
