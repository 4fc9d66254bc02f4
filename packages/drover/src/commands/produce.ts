import { parseAddress, systemClock } from '@drover/kernel'
import { Command, Option } from 'commander'
import { say } from '../terminal.ts'
import { wholeNumber } from './numbers.ts'

interface ProduceOptions {
  readonly id: number
  readonly topics: readonly string[]
  readonly broker: string
  readonly logLoc?: string
  readonly log_loc?: string
}

/** `drover produce`: sends a log file of the course's sharded queue. */
export function produceCommand(): Command {
  return new Command('produce')
    .description("Sends the lines of producer_<id>.txt through the course's queue API.")
    .requiredOption(
      '--id <number>',
      'names the file: producer_<id>.txt',
      wholeNumber('--id', 0, 1_000_000_000),
    )
    .requiredOption('--topics <topics...>', 'as T1:P1 or T2:*, in the order of the lines')
    .option('--broker <address>', 'the primary manager', '127.0.0.1:5000')
    .option('--log-loc <folder>', 'where the file is')
    .addOption(new Option('--log_loc <folder>').hideHelp())
    .action(async (options: ProduceOptions) => {
      const { runProduce } = await import('@drover/queue')
      const sent = await runProduce({
        id: options.id,
        topics: options.topics,
        broker: parseAddress(options.broker),
        logFolder: options.logLoc ?? options.log_loc ?? '.',
        clock: systemClock,
      })
      say(`${sent} messages sent`)
    })
}
