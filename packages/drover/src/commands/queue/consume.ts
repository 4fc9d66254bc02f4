import { parseDuration, systemClock } from '@drover/kernel'
import { Command, Option } from 'commander'
import { fault } from '../../errors.ts'
import { say } from '../../terminal.ts'
import {
  type CourseClientOptions,
  courseRun,
  endCount,
  showCount,
  withCourse,
} from './course-client.ts'

interface ConsumeOptions extends CourseClientOptions {
  readonly idle: number
}

/** `drover consume`: writes what comes through the course's sharded queue to a log file. */
export function consumeCommand(): Command {
  const command = new Command('consume').description(
    "Writes what comes through the course's queue API to consumer_<id>.txt.",
  )
  return withCourse(command, 'consumer')
    .addOption(
      new Option('--idle <duration>', 'ends after so long without a message')
        .argParser(parseIdle)
        .default(20_000, '20s'),
    )
    .action(async ({ idle, ...options }: ConsumeOptions) => {
      const { runConsume } = await import('@drover/queue')
      const stop = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
      const written = await runConsume({
        ...courseRun(options),
        clock: systemClock,
        idleMs: idle,
        onReady: (ids) =>
          say(`consumer ${options.id} is ready, with the manager's ids ${ids.join(' ')}`),
        signal: stop.signal,
        onMessage: showCount,
      })
      endCount()
      say(`${written} messages written`)
    })
}

/** Throws USAGE. */
function parseIdle(text: string): number {
  try {
    return parseDuration(text)
  } catch (cause) {
    throw fault('USAGE', `--idle: expected a duration such as 20s, not "${text}"`, { cause })
  }
}
