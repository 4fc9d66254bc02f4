import { parseAddress, parseDuration, systemClock } from '@drover/kernel'
import { Command, Option } from 'commander'
import { say } from '../terminal.ts'
import { wholeNumber } from './numbers.ts'

interface ConsumeOptions {
  readonly id: number
  readonly topics: readonly string[]
  readonly broker: string
  readonly logLoc?: string
  readonly log_loc?: string
  readonly idle: string
}

/** `drover consume`: writes what comes through the course's sharded queue to a log file. */
export function consumeCommand(): Command {
  return new Command('consume')
    .description("Writes what comes through the course's queue API to consumer_<id>.txt.")
    .requiredOption(
      '--id <number>',
      'names the file: consumer_<id>.txt',
      wholeNumber('--id', 0, 1_000_000_000),
    )
    .requiredOption('--topics <topics...>', 'as T1:P1 or T2:*; they take turns')
    .option('--broker <address>', 'the primary manager', '127.0.0.1:5000')
    .option('--log-loc <folder>', 'where the file goes')
    .addOption(new Option('--log_loc <folder>').hideHelp())
    .option('--idle <duration>', 'ends after so long without a message', '20s')
    .action(async (options: ConsumeOptions) => {
      const { runConsume } = await import('@drover/queue')
      const written = await runConsume({
        id: options.id,
        topics: options.topics,
        broker: parseAddress(options.broker),
        logFolder: options.logLoc ?? options.log_loc ?? '.',
        clock: systemClock,
        idleMs: parseDuration(options.idle),
      })
      say(`${written} messages written`)
    })
}
