import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import {
  type Address,
  createLog,
  parseAddress,
  parseSize,
  systemClock,
  systemRandom,
} from '@drover/kernel'
import { Command } from 'commander'
import { fault } from '../../errors.ts'
import { say } from '../../terminal.ts'
import { addressText } from '../addresses.ts'
import { wholeNumber } from '../numbers.ts'
import { hearStopping } from '../stopping.ts'

const examples = `Examples:
  drover chunks serve                                 a page on http://127.0.0.1:8090
  curl -T book.txt "http://127.0.0.1:8090/chunks/book.txt?by=letters%20a-c,d-z&wait=yes" -o book.zip
  curl -F by="lines 1000" -F file=@big.log http://127.0.0.1:8090/chunks
  drover chunks storm book.txt --requests 50`

/** `drover chunks`: the chunking service. */
export function chunksCommand(): Command {
  const command = new Command('chunks')
    .description('Chunks files as a service: a page, an API, several backends.')
    .addHelpText('after', `\n${examples}`)
  for (const inner of [serve(), backend(), storm()]) command.addCommand(inner)
  return command
}

interface ServeOptions {
  readonly listen: string
  readonly backends: number
  readonly data: string
  readonly quota: string
  readonly highWater: number
  readonly workers: number
  readonly backendsUrl?: string
  readonly queue?: string
}

function serve(): Command {
  return new Command('serve')
    .description(
      'Runs the page and its backends in the foreground, behind a front door of their own.',
    )
    .option('--listen <address>', 'the page and the API', '127.0.0.1:8090')
    .option(
      '--backends <number>',
      'processes that do the work',
      wholeNumber('--backends', 1, 64),
      3,
    )
    .option('--data <folder>', 'where uploads, results and the queue are kept', '.drover/chunks')
    .option('--quota <size>', 'bytes of uploads and results together', '50GiB')
    .option(
      '--high-water <percent>',
      'uploads are refused while the disk is fuller',
      wholeNumber('--high-water', 1, 100),
      95,
    )
    .option('--workers <number>', 'requests at one time', wholeNumber('--workers', 1, 64), 1)
    .option('--backends-url <url>', 'a front door before backends that run already')
    .option('--queue <address>', 'a queue that runs already', addressText('--queue'))
    .action(async (options: ServeOptions) => {
      const stopping = hearStopping()
      const { startChunksService } = await import('./chunks-serve.ts')
      const where = addressOf(options.listen)
      const quotaBytes = sizeOf(options.quota)
      const start = startChunksService({ ...options, ...where, quotaBytes })
      // What starts backends starts fast, and has them to end.
      const running = await (options.backendsUrl ? stopping.unlessAsked(start) : start)
      const backends = options.backendsUrl ?? `${options.backends} backends`
      say(`drover chunks: ${running.url}, ${backends}. Ctrl-c stops everything.`)
      await stopping.asked
      await running.stop()
    })
}

function addressOf(text: string): Address {
  try {
    return parseAddress(text)
  } catch (cause) {
    throw fault('USAGE', `--listen: ${(cause as Error).message}`, { cause })
  }
}

function sizeOf(text: string): number {
  try {
    return parseSize(text)
  } catch (cause) {
    throw fault('USAGE', `--quota: ${(cause as Error).message}`, { cause })
  }
}

function backend(): Command {
  return new Command('backend')
    .description('Does tasks for the page; `serve` starts as many as it needs.')
    .option('--listen <address>', 'where (default: HOST and PORT of the environment)')
    .option('--tasks <number>', 'tasks at one time', wholeNumber('--tasks', 1, 64), 4)
    .action(async ({ listen, tasks }: { listen?: string; tasks: number }) => {
      const { HOST = '127.0.0.1', PORT = '0' } = process.env
      const { host, port } = addressOf(listen ?? `${HOST}:${PORT}`)
      const stopping = hearStopping()
      const { startBackend } = await import('@drover/chunks')
      const log = createLog('chunks-backend')
      const settings = { host, port, clock: systemClock, log, tasksMax: tasks }
      const running = await stopping.unlessAsked(startBackend(settings))
      say(`listening on ${host}:${running.port}`)
      await stopping.asked
      await running.stop()
    })
}

interface StormOptions {
  readonly url: string
  readonly requests: number
  readonly by: string
  readonly gap: number
}

function storm(): Command {
  return new Command('storm')
    .description('Sends many requests at random intervals to a running service.')
    .argument('<files...>', 'what to send; each request takes one of them at random')
    .option('--url <url>', 'of the service', 'http://127.0.0.1:8090')
    .option('--requests <number>', 'how many', wholeNumber('--requests', 1, 10_000), 50)
    .option('--by <way>', 'how to chunk', 'letters a-z')
    .option('--gap <ms>', 'the longest wait between two', wholeNumber('--gap', 0, 60_000), 200)
    .action((files: string[], options: StormOptions) => sendStorm(files, options))
}

/** Sends a storm and says how it went; throws CHUNKS_STORM_FAILED when a request did. */
export async function sendStorm(paths: readonly string[], options: StormOptions): Promise<void> {
  const { parseWay, runStorm } = await import('@drover/chunks')
  const { url, requests, by, gap } = options
  if (!URL.canParse(url))
    throw fault('USAGE', `--url: "${url}" is no URL such as http://127.0.0.1:8090`)
  parseWay(by)
  const files = await Promise.all(
    paths.map(async (path) => ({ name: basename(path), bytes: await read(path) })),
  )
  const query = new URLSearchParams({ by }).toString()
  const result = await runStorm(
    { ...{ url, requests, files, query }, gapMsMax: gap, clock: systemClock, random: systemRandom },
    () => {},
  )
  const { done, failures, resultBytes, tookMs, waitsMs } = result
  const at = (share: number) => (waitsMs[Math.floor(share * (waitsMs.length - 1))] ?? 0).toFixed(0)
  say(
    `${done} of ${requests} requests done in ${(tookMs / 1_000).toFixed(1)} s, ${resultBytes} bytes`,
  )
  if (done > 0) say(`a request took ${at(0.5)} ms in the middle, ${at(0.99)} ms at p99`)
  for (const [why, count] of failures) say(`${count} failed: ${why}`)
  if (failures.size > 0) throw fault('EXPERIMENT_FAILED', 'not every request of the storm was done')
}

function read(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: Error) => {
    throw fault('USAGE', `${path} cannot be read: ${cause.message}`, { cause })
  })
}
