import { type Address, parseAddress } from '@drover/kernel'
import { type Command, Option } from 'commander'
import { fault } from '../../errors.ts'
import { wholeNumber } from '../numbers.ts'

/** The port of the primary manager when only its host is named, as the course does. */
const primaryPort = 5_000

/** What `drover produce` and `drover consume` are both told. */
export interface CourseClientOptions {
  readonly id: number
  readonly topics: readonly string[]
  readonly broker: Address
  readonly logLoc?: string
  readonly log_loc?: string
}

/** Adds the options that `drover produce` and `drover consume` share; `file` is theirs, as producer. */
export function withCourse(command: Command, file: string): Command {
  return command
    .requiredOption(
      '--id <number>',
      `names the file: ${file}_<id>.txt`,
      wholeNumber('--id', 0, 1_000_000_000),
    )
    .requiredOption('--topics <topics...>', 'as T1:P1 or T2:*; they take turns in this order')
    .addOption(
      new Option('--broker <address>', 'the primary manager, as HOST:PORT')
        .argParser(parseBroker)
        .default({ host: '127.0.0.1', port: primaryPort }, `127.0.0.1:${primaryPort}`),
    )
    .option('--log-loc <folder>', 'where the file is (default: here)')
    .addOption(new Option('--log_loc <folder>').hideHelp())
}

/** Returns the part of a run that both commands share. */
export function courseRun({ id, topics, broker, logLoc, log_loc = '.' }: CourseClientOptions) {
  return { id, topics, broker, logFolder: logLoc ?? log_loc }
}

/** Throws USAGE. */
function parseBroker(text: string): Address {
  try {
    return parseAddress(/^(\[.+\]|[^:]*[^:\d][^:]*)$/.test(text) ? `${text}:${primaryPort}` : text)
  } catch (cause) {
    throw fault('USAGE', `--broker: expected HOST:PORT, not "${text}"`, { cause })
  }
}

/** Shows on a terminal how many messages are through so far. */
export function showCount(count: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${count} messages`)
}

/** Ends the line that `showCount` wrote. */
export function endCount(): void {
  if (process.stderr.isTTY) process.stderr.write('\r')
}
