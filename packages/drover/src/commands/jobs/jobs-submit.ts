import { readFileSync } from 'node:fs'
import type { JobsClient } from '@drover/jobs'
import { parseDuration } from '@drover/kernel'
import { Command } from 'commander'
import { fault } from '../../errors.ts'
import { say, warn } from '../../terminal.ts'
import { wholeNumber } from '../numbers.ts'
import { asClient, type ClientOptions, withClient } from './jobs-client.ts'
import { follow } from './jobs-follow.ts'

interface SubmitOptions extends ClientOptions {
  readonly type: number
  readonly file?: string
  readonly callback?: string
  readonly priority?: number
  readonly delay?: number
  readonly attempts?: number
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
    .option('--type <number>', '1 text, 2 HTML, 3 domains', wholeNumber('--type', 1, 3), 1)
    .option('--callback <url>', 'called when a job has ended')
    .option('--priority <number>', '9 comes first', wholeNumber('--priority', 0, 9))
    .option('--delay <duration>', 'not before, such as 10m', durationOf)
    .option('--attempts <number>', 'at one page', wholeNumber('--attempts', 1, 100))
    .option('-w, --watch', 'shows how they end; fails when one does not end well')
  return withClient(command).action((urls: string[], options: SubmitOptions) => {
    const all = [...urls, ...(options.file === undefined ? [] : readUrls(options.file))]
    if (all.length === 0) throw fault('USAGE', 'no pages: name some, or --file')
    return asClient(options, (client) => submitAll(client, all, options))
  })
}

async function submitAll(
  client: JobsClient,
  urls: readonly string[],
  options: SubmitOptions,
): Promise<void> {
  const { type, callback, priority, delay, attempts, watch } = options
  const more = {
    type,
    ...(callback === undefined ? {} : { callbackUrl: callback }),
    ...(priority === undefined ? {} : { priority }),
    ...(delay === undefined ? {} : { delayMs: delay }),
    ...(attempts === undefined ? {} : { attemptsMax: attempts }),
  }
  let failed = 0
  for (let start = 0; start < urls.length; start += batchMax) {
    const { batch, ids } = await client.submit(urls.slice(start, start + batchMax), more)
    say(`batch ${batch}`)
    if (watch) failed += await follow(client, batch, ids.length)
    else for (const id of ids) say(id)
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
