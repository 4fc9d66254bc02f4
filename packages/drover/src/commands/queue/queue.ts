import type { QueueClient, QueueRecord } from '@drover/queue'
import { Command, Option } from 'commander'
import { fault } from '../../errors.ts'
import { say } from '../../terminal.ts'
import { addressText } from '../addresses.ts'
import { advised } from '../advice.ts'
import { wholeNumber } from '../numbers.ts'
import { hearStopping } from '../stopping.ts'
import { brokerCommands } from './queue-brokers.ts'
import { queueRepairCommand as repair } from './queue-repair.ts'

const examples = `Examples:
  drover queue serve --brokers 2 --data ./queue --course-api 127.0.0.1:5000
  drover queue topics orders --partitions 8     makes a topic
  drover queue send orders "two boxes"          or lines from standard input
  drover queue read orders --follow             from the beginning, and on
  drover queue work orders --count 10           takes messages and acknowledges them
  drover queue lag orders`

const defaultHttp = '127.0.0.1:7070'
const defaultTcp = '127.0.0.1:7071'
const waitMs = 10_000
const howToReach = 'drover queue serve runs a queue, --queue names where one is (its --tcp)'

interface ClientOptions {
  readonly queue: string
}

/** `drover queue`: runs a durable queue, and talks to one. */
export function queueCommand(): Command {
  const queue = new Command('queue')
    .description('Runs a durable queue sharded over brokers, and talks to it.')
    .addHelpText('after', `\n${examples}`)
  const brokers = brokerCommands(talk, withQueue)
  for (const command of [
    serve(),
    topics(),
    send(),
    read(),
    work(),
    lag(),
    purge(),
    repair(),
    ...brokers,
  ])
    queue.addCommand(command)
  return queue
}

interface ServeOptions {
  readonly engine: 'embedded' | 'rabbitmq' | 'nats'
  readonly servers?: readonly string[]
  readonly replicas: number
  readonly listen: string
  readonly tcp: string
  readonly brokers: number
  readonly data: string
  readonly courseApi?: string
}

function serve(): Command {
  return new Command('serve')
    .description('Runs a queue in the foreground, each broker a process.')
    .option(
      '--listen <address>',
      'the HTTP API; /openapi.json describes it',
      addressText('--listen'),
      defaultHttp,
    )
    .option(
      '--tcp <address>',
      'the binary protocol, for QueueClient and these commands',
      addressText('--tcp'),
      defaultTcp,
    )
    .option('--brokers <number>', 'how many to begin with', wholeNumber('--brokers', 0, 64), 1)
    .option('--data <folder>', 'where everything is kept', '.drover/queue')
    .option(
      '--course-api <address>',
      "the course's primary manager; the read-only one is on the next port",
      addressText('--course-api'),
    )
    .addOption(
      new Option('--engine <name>', 'what keeps the messages: brokers of ours, or servers of yours')
        .choices(['embedded', 'rabbitmq', 'nats'])
        .default('embedded'),
    )
    .option('--servers <urls...>', 'of the engine, as nats://host:4222 or amqp://user:pw@host:5672')
    .option('--replicas <number>', 'copies on NATS servers', wholeNumber('--replicas', 1, 5), 1)
    .action(async (options: ServeOptions) => {
      const stopping = hearStopping()
      const queue = await stopping.unlessAsked(startServing(options))
      if (queue.course)
        say(`course: primary ${queue.course.primary}, read-only ${queue.course.readOnly}`)
      await stopping.asked
      await queue.stop()
    })
}

/** Starts the queue on its engine, and says where it is. */
async function startServing({ engine, servers = [], replicas, data, ...options }: ServeOptions) {
  const { startForeignQueue, startQueue } = await import('@drover/queue')
  if (engine === 'embedded') {
    if (servers.length > 0) throw fault('USAGE', '--servers: only with --engine rabbitmq or nats')
    const queue = await startQueue({ dataFolder: data, ...options })
    say(`queue: ${queue.url} (HTTP), ${queue.address} (binary), data in ${data}`)
    return queue
  }
  const { listen, courseApi } = options
  const course = courseApi === undefined ? {} : { courseApi }
  const where = { engine, servers, replicas, dataFolder: data, listen }
  const queue = await startForeignQueue({ ...where, ...course })
  say(`queue: ${queue.url} (HTTP) over ${engine}`)
  return queue
}

function withQueue(command: Command): Command {
  return command.option(
    '--queue <address>',
    'the queue, by its binary protocol',
    addressText('--queue'),
    defaultTcp,
  )
}

/** Connects, does `work`, and hangs up. */
async function talk(
  { queue }: ClientOptions,
  work: (client: QueueClient) => Promise<void>,
): Promise<void> {
  const { connectQueue } = await import('@drover/queue')
  const client = await advised(['BROKER_UNREACHABLE'], howToReach, () =>
    connectQueue(queue, { patienceMs: waitMs }),
  )
  try {
    await work(client)
  } finally {
    await client.stop()
  }
}

function topics(): Command {
  return withQueue(new Command('topics'))
    .description('Lists the topics and where they are; with a name, makes one.')
    .argument('[topic]', 'to make')
    .option('--partitions <number>', 'of the new topic', wholeNumber('--partitions', 1, 1_024))
    .action((topic: string | undefined, options: ClientOptions & { partitions?: number }) =>
      talk(options, async (client) => {
        const { partitions } = options
        if (topic !== undefined)
          await client.createTopic(topic, partitions === undefined ? {} : { partitions })
        const places = await client.placement()
        for (const [name, brokers] of places) say(`${name}  ${brokers.join(' ')}`)
        if (places.size === 0) say('no topics yet')
      }),
    )
}

function send(): Command {
  return withQueue(new Command('send'))
    .description('Stores a message, or each line of standard input.')
    .argument('<topic>')
    .argument('[message]')
    .option('--key <key>', 'messages of one key keep their order')
    .action(
      (topic: string, message: string | undefined, options: ClientOptions & { key?: string }) =>
        talk(options, async (client) => {
          const key = options.key === undefined ? {} : { key: options.key }
          const store = (lines: readonly string[]) =>
            client.produce(
              topic,
              lines.map((line) => ({ value: Buffer.from(line), ...key })),
            )
          let sent = 0
          for await (const lines of message === undefined ? linesOfInput() : [[message]])
            sent += (await store(lines)).length
          say(`${sent} stored`)
        }),
    )
}

/** The lines of standard input, some at a time. */
async function* linesOfInput(): AsyncGenerator<string[]> {
  let rest = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (let at = 0; at < lines.length; at += 1_000) yield lines.slice(at, at + 1_000)
  }
  if (rest !== '') yield [rest]
}

interface ReadOptions extends ClientOptions {
  readonly partition?: number
  readonly offset: number
  readonly follow?: boolean
}

function read(): Command {
  return withQueue(new Command('read'))
    .description('Prints the messages of a topic, one a line.')
    .argument('<topic>')
    .option('--partition <number>', 'only this one', wholeNumber('--partition', 0, 1_023))
    .option('--offset <number>', 'where to begin', wholeNumber('--offset', 0, 2 ** 52), 0)
    .option('--follow', 'go on with what comes')
    .action((topic: string, options: ReadOptions) =>
      talk(options, async (client) => {
        const bounds = await client.bounds(topic)
        const wanted = bounds.filter(
          (one) => options.partition === undefined || one.partition === options.partition,
        )
        if (wanted.length === 0)
          throw fault('USAGE', `${topic} has no partition ${options.partition}`)
        await Promise.all(
          wanted.map(({ partition }) => readPartition(client, topic, partition, options)),
        )
      }),
    )
}

async function readPartition(
  client: QueueClient,
  topic: string,
  partition: number,
  { offset, follow }: ReadOptions,
): Promise<void> {
  let next = offset
  for (;;) {
    const wait = { waitMs: follow ? waitMs : 0 }
    const { records, nextOffset } = await client.fetch(topic, partition, { offset: next }, wait)
    for (const record of records) say(lineOf(record))
    if (records.length === 0 && !follow) return
    next = nextOffset
  }
}

function lineOf({ partition, offset, value }: QueueRecord): string {
  return `${partition}:${offset}  ${Buffer.from(value).toString()}`
}

interface WorkOptions extends ClientOptions {
  readonly count: number
  readonly keep?: boolean
}

function work(): Command {
  return withQueue(new Command('work'))
    .description('Takes messages, prints them, and acknowledges them.')
    .argument('<topic>')
    .option('--count <number>', 'how many', wholeNumber('--count', 1, 1_000_000), 1)
    .option('--keep', 'hand them back at once instead')
    .action((topic: string, options: WorkOptions) =>
      talk(options, async (client) => {
        for (let left = options.count; left > 0; ) {
          const taken = await workOnce(client, topic, Math.min(left, 100), options.keep === true)
          if (taken === 0) break
          left -= taken
        }
      }),
    )
}

/** Takes up to `count` messages, waiting for the first; returns how many there were. */
async function workOnce(
  client: QueueClient,
  topic: string,
  count: number,
  keep: boolean,
): Promise<number> {
  const leases = await client.lease(topic, { count, waitMs })
  for (const { record } of leases) say(lineOf(record))
  const tokens = leases.map(({ token }) => token)
  if (keep) await client.nack(tokens, { delayMs: 0 })
  else await client.ack(tokens)
  return leases.length
}

function lag(): Command {
  return withQueue(new Command('lag'))
    .description('Shows how far each group is behind.')
    .argument('<topic>')
    .action((topic: string, options: ClientOptions) =>
      talk(options, async (client) => {
        for (const { group, kind, partition, offset, lag: behind } of await client.lag(topic))
          say(`${group} (${kind})  partition ${partition}  at ${offset}  ${behind} behind`)
      }),
    )
}

function purge(): Command {
  return withQueue(new Command('purge'))
    .description('Removes every message of a topic.')
    .argument('<topic>')
    .action((topic: string, options: ClientOptions) =>
      talk(options, async (client) => say(`${await client.purge(topic)} removed`)),
    )
}
