import { systemClock } from '@drover/kernel'
import { Command } from 'commander'
import { say } from '../../terminal.ts'
import {
  type CourseClientOptions,
  courseRun,
  endCount,
  showCount,
  withCourse,
} from './course-client.ts'

/** `drover produce`: sends a log file of the course's sharded queue. */
export function produceCommand(): Command {
  const command = new Command('produce').description(
    "Sends the lines of producer_<id>.txt through the course's queue API.",
  )
  return withCourse(command, 'producer').action(async (options: CourseClientOptions) => {
    const { runProduce } = await import('@drover/queue')
    const run = { ...courseRun(options), clock: systemClock, onSent: showCount }
    const sent = await runProduce(run)
    endCount()
    say(`${sent} messages sent`)
  })
}
