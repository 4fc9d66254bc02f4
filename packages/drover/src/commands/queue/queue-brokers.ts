import { parseAddress } from '@drover/kernel'
import type { QueueClient } from '@drover/queue'
import { Command } from 'commander'
import { say, table } from '../../terminal.ts'
import { addressText } from '../addresses.ts'
import { hearStopping } from '../stopping.ts'

/** Connects to the queue of the options, does the work, and hangs up. */
export type Talk = (
  options: { readonly queue: string },
  work: (client: QueueClient) => Promise<void>,
) => Promise<void>

interface BrokerOptions {
  readonly listen: string
  readonly data: string
}

/** Commands about the brokers of a queue; `withQueue` adds the option that names the queue. */
export function brokerCommands(
  talk: Talk,
  withQueue: (command: Command) => Command,
): readonly Command[] {
  return [broker(), list(talk, withQueue), add(talk, withQueue), remove(talk, withQueue)]
}

function broker(): Command {
  return new Command('broker')
    .summary('Runs one broker, for a queue that is served on another host.')
    .description(
      'Runs one broker in the foreground, for a queue that is served on another host: there,\ndrover queue add-broker NAME HOST:PORT. It takes whoever reaches it: keep it in a network of its own.',
    )
    .argument('<name>', 'as broker2')
    .requiredOption('--listen <address>', 'where the others reach it', addressText('--listen'))
    .option('--data <folder>', 'where its messages are kept', '.drover/queue-broker')
    .action(async (name: string, { listen, data }: BrokerOptions) => {
      const stopping = hearStopping()
      const { serveBroker } = await import('@drover/queue')
      const at = parseAddress(listen)
      const running = await stopping.unlessAsked(serveBroker({ name, folder: data, listen: at }))
      say(`${name}: ${running.address}, data in ${data}`)
      await stopping.asked
      await running.stop()
    })
}

function list(talk: Talk, withQueue: (command: Command) => Command): Command {
  return withQueue(new Command('brokers'))
    .description('Lists the brokers, and how many partitions each has.')
    .action((options: { queue: string }) =>
      talk(options, async (client) => {
        const rows = (await client.brokers()).map(({ name, state, address, pid, partitions }) => [
          name,
          state,
          address,
          pid === undefined ? '' : String(pid),
          String(partitions),
        ])
        say(table(['broker', 'state', 'address', 'process', 'partitions'], rows))
      }),
    )
}

function add(talk: Talk, withQueue: (command: Command) => Command): Command {
  return withQueue(new Command('add-broker'))
    .description('Starts a broker, or takes one that runs elsewhere; its share moves to it.')
    .argument('<name>')
    .argument('[address]', 'where `drover queue broker` listens; without it one is started here')
    .action((name: string, address: string | undefined, options: { queue: string }) =>
      talk(options, async (client) => {
        await client.addBroker(name, address)
        say(`${name} is in`)
      }),
    )
}

function remove(talk: Talk, withQueue: (command: Command) => Command): Command {
  return withQueue(new Command('remove-broker'))
    .description('Moves away all that a broker has, then ends it.')
    .argument('<name>')
    .action((name: string, options: { queue: string }) =>
      talk(options, async (client) => {
        await client.removeBroker(name)
        say(`${name} is out`)
      }),
    )
}
