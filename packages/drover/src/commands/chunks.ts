import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import {
  EngineRequestQueue,
  type RunningChunks,
  runStorm,
  startBackend,
  startChunks,
} from '@drover/chunks'
import {
  type Address,
  createLog,
  parseAddress,
  parseSize,
  silentLog,
  systemClock,
  systemRandom,
} from '@drover/kernel'
import { connectQueue, type QueueEngine, startQueue } from '@drover/queue'
import { Command } from 'commander'
import { loadOptions } from '../config/load.ts'
import { fault } from '../errors.ts'
import { startInstance } from '../instance.ts'
import { readStatus } from '../status.ts'
import { say } from '../terminal.ts'
import { version } from '../version.ts'
import { addressText } from './addresses.ts'
import { wholeNumber } from './numbers.ts'

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
      const running = await startService(options)
      const backends = options.backendsUrl ?? `${options.backends} backends`
      say(`drover chunks: ${running.url}, ${backends}. Ctrl-c stops everything.`)
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
      await running.stop()
    })
}

/** What `drover chunks serve` runs: the queue, the backends behind their door, and the front. */
async function startService(options: ServeOptions): Promise<RunningChunks> {
  const { host, port } = addressOf(options.listen)
  const folder = resolve(options.data)
  const quotaBytes = sizeOf(options.quota)
  await mkdir(folder, { recursive: true })
  const up: Stoppable[] = []
  const stopAll = async () => {
    for (const part of up.splice(0).toReversed()) await part.stop()
  }
  try {
    const backendsUrl = options.backendsUrl ?? (await startBackends(options.backends, folder, up))
    const requests = new EngineRequestQueue(
      await openQueue(options.queue, folder, up),
      systemClock.every,
    )
    await requests.open()
    const chunks = await startChunks({
      ...{ host, port, folder, backendsUrl, quotaBytes, queue: requests },
      ...{ clock: systemClock, random: systemRandom },
      log: createLog('chunks', { file: join(folder, 'chunks.log') }),
      highWater: options.highWater / 100,
      window: 2 * options.backends,
      workers: options.workers,
    })
    up.push(chunks)
    return { ...chunks, stop: stopAll }
  } catch (error) {
    await stopAll()
    throw error
  }
}

interface Stoppable {
  stop(): Promise<void>
}

/** Starts the backends behind a door of their own; returns its URL. */
async function startBackends(count: number, folder: string, up: Stoppable[]): Promise<string> {
  const instance = await startInstance(backendsOf(count, folder))
  up.push(instance)
  const about = { version, pid: process.pid, startedAtMs: 0, file: null, admin: null }
  return (await readStatus(instance.system, about)).listeners[0]?.url ?? ''
}

/** The queue at `address`, or one of our own within this process. */
async function openQueue(
  address: string | undefined,
  folder: string,
  up: Stoppable[],
): Promise<QueueEngine> {
  if (address !== undefined) {
    const client = await connectQueue(address)
    up.push(client)
    return client
  }
  const own = { brokers: 1, runBrokers: 'here', logger: silentLog } as const
  const queue = await startQueue({ dataFolder: join(folder, 'queue'), ...own })
  up.push(queue)
  return queue.client
}

/** The backends as a service of their own, spread by least connections. */
function backendsOf(count: number, folder: string) {
  const words = ['chunks', 'backend', '--tasks', '2']
  const config = {
    data: join(folder, 'drover'),
    admin: { address: 'off' },
    // One process decides whom each task goes to, so that the least busy one really is.
    door: { workers: 1, grace: '1s' },
    services: {
      backends: {
        // A small young generation: tasks make little garbage, and memory is to stay flat.
        command: [process.execPath, '--max-semi-space-size=2', process.argv[1] ?? '', ...words],
        replicas: count,
        policy: 'least-connections',
        // A backend in the middle of a heavy task answers late; that is no illness here.
        health: { path: '/healthz', timeout: '20s', fall: 3 },
      },
    },
    listeners: [{ address: '127.0.0.1:0', service: 'backends' }],
  }
  return loadOptions(config, folder, (key) => key)
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
      const log = createLog('chunks-backend')
      const running = await startBackend({ host, port, clock: systemClock, log, tasksMax: tasks })
      say(`listening on ${host}:${running.port}`)
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
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
  const { url, requests, by, gap } = options
  const files = await Promise.all(
    paths.map(async (path) => ({ name: basename(path), bytes: await readFile(path) })),
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
  say(`a request took ${at(0.5)} ms in the middle, ${at(0.99)} ms at p99`)
  for (const [why, count] of failures) say(`${count} failed: ${why}`)
  if (failures.size > 0) throw fault('EXPERIMENT_FAILED', 'not every request of the storm was done')
}
