import { readFileSync } from 'node:fs'
import type { JobsClient } from '@drover/jobs'
import { parseDuration } from '@drover/kernel'
import { Command } from 'commander'
import { fault } from '../../errors.ts'
import { say, warn } from '../../terminal.ts'
import { wholeNumber } from '../numbers.ts'
import { asClient, type ClientOptions, withClient, withJson } from './jobs-client.ts'
import { follow, showAs } from './jobs-follow.ts'

/** How each page is to be fetched. */
export interface JobOptions {
  readonly type: number
  readonly callback?: string
  readonly priority?: number
  readonly attempts?: number
}

interface SubmitOptions extends ClientOptions, JobOptions {
  readonly file?: string
  readonly delay?: number
  readonly watch?: boolean
}

/** Jobs of one batch: what the API takes unless it is told otherwise. */
const batchMax = 1_000

/** `drover jobs submit` */
export function submitCommand(): Command {
  const command = new Command('submit')
    .description('Submits pages to fetch, as one batch for each thousand.')
    .argument('[urls...]', 'the pages')
    .option('--file <path>', 'more pages, one a line; - for standard input')
  withJobOptions(command)
    .option('--delay <duration>', 'not before, such as 10m', durationOf)
    .option('-w, --watch', 'shows how they end; fails when one does not end well')
  return withClient(withJson(command)).action((urls: string[], options: SubmitOptions) => {
    const all = [...urls, ...(options.file === undefined ? [] : readUrls(options.file))]
    if (all.length === 0) throw fault('USAGE', 'no pages: name some, or --file')
    return asClient(options, (client) => submitAll(client, all, options))
  })
}

/** Adds what jobs may be told, once or by a schedule. */
export function withJobOptions(command: Command): Command {
  return command
    .option('--type <number>', '1 text, 2 HTML, 3 domains', wholeNumber('--type', 1, 3), 1)
    .option('--callback <url>', 'called when a job has ended')
    .option('--priority <number>', '9 comes first', wholeNumber('--priority', 0, 9))
    .option('--attempts <number>', 'at one page', wholeNumber('--attempts', 1, 100))
}

/** Returns them as the API wants them. */
export function jobOf({ type, callback, priority, attempts }: JobOptions) {
  return {
    type,
    ...(callback === undefined ? {} : { callbackUrl: callback }),
    ...(priority === undefined ? {} : { priority }),
    ...(attempts === undefined ? {} : { attemptsMax: attempts }),
  }
}

async function submitAll(
  client: JobsClient,
  urls: readonly string[],
  options: SubmitOptions,
): Promise<void> {
  const { delay, watch, json } = options
  const more = { ...jobOf(options), ...(delay === undefined ? {} : { delayMs: delay }) }
  let failed = 0
  for (let start = 0; start < urls.length; start += batchMax) {
    const { batch, ids } = await client.submit(urls.slice(start, start + batchMax), more)
    say(json ? JSON.stringify({ batch, ids }) : `batch ${batch}`)
    const watched = { batch, total: ids.length, show: showAs(options) }
    if (watch) failed += await follow(client, watched)
    else if (!json) for (const id of ids) say(id)
  }
  if (failed === 0) return
  warn(`${failed} of ${urls.length} jobs did not end well`)
  process.exitCode = 1
}

function readUrls(path: string): string[] {
  const read = () => readFileSync(path === '-' ? 0 : path, 'utf8')
  try {
    return read()
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
  } catch (cause) {
    throw fault('USAGE', `--file: ${path} cannot be read`, { cause })
  }
}

function durationOf(text: string): number {
  try {
    return parseDuration(text)
  } catch (cause) {
    throw fault('USAGE', `--delay: ${(cause as Error).message}`, { cause })
  }
}
