import type { ScheduleView } from '@drover/jobs'
import { Command } from 'commander'
import { say, table } from '../../terminal.ts'
import { wholeNumber } from '../numbers.ts'
import { asClient, type ClientOptions, withClient, withJson } from './jobs-client.ts'
import { type JobOptions, jobOf, withJobOptions } from './jobs-submit.ts'

/** `drover jobs schedules` and what changes them. */
export function scheduleCommands(): readonly Command[] {
  return [schedules(), addSchedule(), removeSchedule(), pauseSchedule(), resumeSchedule()]
}

function schedules(): Command {
  const command = new Command('schedules')
    .description('Lists schedules, the newest first, and when each comes next.')
    .option('--limit <number>', 'how many', wholeNumber('--limit', 1, 100_000), 100)
  return withClient(withJson(command)).action(
    (options: ClientOptions & { readonly limit: number }) =>
      asClient(options, async (client) => {
        const found = await client.schedules(options.limit)
        if (options.json) for (const one of found) say(JSON.stringify(one))
        else say(table(['schedule', 'cron', 'in', 'next', 'type', 'page'], found.map(cellsOf)))
      }),
  )
}

interface AddOptions extends ClientOptions, JobOptions {
  readonly timeZone?: string
}

function addSchedule(): Command {
  const command = new Command('add-schedule')
    .description('Submits a page again and again, each time that CRON names.')
    .argument('<cron>', 'minute, hour, day of the month, month, day of the week: "0 9 * * 1-5"')
    .argument('<page>', 'its address')
    .option('--time-zone <name>', 'what CRON is meant in, as Europe/Berlin (default: UTC)')
  return withClient(withJson(withJobOptions(command))).action(
    (cron: string, url: string, options: AddOptions) =>
      asClient(options, async (client) => {
        const job = { url, ...jobOf(options) }
        show(await client.addSchedule(cron, options.timeZone, job), options)
      }),
  )
}

function removeSchedule(): Command {
  const command = new Command('remove-schedule')
    .description('Ends a schedule; the jobs that it has submitted stay.')
    .argument('<schedule>')
  return withClient(command).action((id: string, options: ClientOptions) =>
    asClient(options, async (client) => {
      await client.removeSchedule(id)
      say(`${id} is gone`)
    }),
  )
}

function pauseSchedule(): Command {
  return change('pause-schedule', 'Lets a schedule rest.', true)
}

function resumeSchedule(): Command {
  return change('resume-schedule', 'Lets a schedule go on; what it missed is left out.', false)
}

function change(name: string, says: string, paused: boolean): Command {
  const command = new Command(name).description(says).argument('<schedule>')
  return withClient(withJson(command)).action((id: string, options: ClientOptions) =>
    asClient(options, async (client) => show(await client.pauseSchedule(id, paused), options)),
  )
}

function show(schedule: ScheduleView, { json }: ClientOptions): void {
  say(json ? JSON.stringify(schedule) : cellsOf(schedule).join('  '))
}

function cellsOf({ id, cron, timeZone, job, paused, nextAt }: ScheduleView): string[] {
  const next = paused ? 'rests' : (nextAt ?? 'never')
  return [id, cron, timeZone, next, `${job.type}`, job.url]
}
