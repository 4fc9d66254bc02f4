import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemClock } from '@drover/kernel'
import { Command } from 'commander'
import { fault } from '../errors.ts'
import {
  catalogue,
  type ExperimentName,
  experimentNamed,
  experimentNames,
} from '../experiments/catalogue.ts'
import { createProgress, createProgressLine } from '../experiments/progress.ts'
import { type Outcome, renderIndex, renderReport } from '../experiments/render.ts'
import { type Finished, isSound } from '../experiments/report.ts'
import { runExperiment } from '../experiments/run.ts'
import type { Stage } from '../experiments/stage.ts'
import { experiments } from '../experiments/table.ts'
import { paint, say, table, warn } from '../terminal.ts'
import { messageOf } from './exit-codes.ts'
import { wholeNumber } from './numbers.ts'

interface ExperimentOptions {
  readonly out: string
  readonly requests: number
  readonly quick?: boolean
}

const requestsDefault = 10_000
const requestsQuick = 600
/** What was started gets this many ms to end after ctrl-c. */
const endMsMax = 8_000

/** `drover experiment`: measures real servers, and writes a report. */
export function experimentCommand(): Command {
  return new Command('experiment')
    .summary('Measures real servers, and writes a report.')
    .description(
      'Starts real servers, sends real requests, and writes a report with tables and charts.',
    )
    .argument('[name]', 'which, or all; without a name it lists them')
    .option('--out <folder>', 'where reports go', 'reports')
    .option(
      '--requests <number>',
      `how many a1, a2 and a4 send at once (default ${requestsDefault})`,
      wholeNumber('--requests', 1, 12_000),
    )
    .option('--quick', 'less of everything, for a first look')
    .addHelpText('after', `\nExperiments:\n${listOfAll('  ')}`)
    .action(async (name: string | undefined, options: ExperimentOptions) => {
      if (name === undefined) return say(listOfAll(''))
      if (name === 'all') return runAll(options)
      return runOne(experimentNamed(name), options)
    })
}

function listOfAll(indent: string): string {
  const rows = experimentNames.map((name) => {
    const { says, minutes } = catalogue[name]
    return `${indent}${name.padEnd(18)} ${says} (${durationOf(minutes)})`
  })
  return [
    ...rows,
    `${indent}${'all'.padEnd(18)} all of them, and a page that links the reports`,
  ].join('\n')
}

function durationOf(minutes: number): string {
  return minutes < 1 ? `${Math.round(minutes * 60)} s` : `${minutes} min`
}

async function runOne(name: ExperimentName, options: ExperimentOptions): Promise<void> {
  const finished = await carryOut(name, options)
  show(finished)
  say(`The report is in ${await write(options.out, `${name}.html`, renderReport(finished))}`)
  if (!isSound(finished)) throw fault('CLAIM_BROKEN', brokenOf(finished))
}

/** Runs one after the other; one that fails does not keep the rest from being run. */
async function runAll(options: ExperimentOptions): Promise<void> {
  const outcomes: Outcome[] = []
  for (const name of experimentNames) outcomes.push(await tryOut(name, options))
  const index = renderIndex(outcomes, commandOf('all', options))
  say(`The reports are in ${await write(options.out, 'index.html', index)}`)
  const failures = outcomes.map(failureOf).filter((failure) => failure !== undefined)
  if (failures.length > 0) throw fault('CLAIM_BROKEN', failures.join('\n'))
}

async function tryOut(name: ExperimentName, options: ExperimentOptions): Promise<Outcome> {
  try {
    const finished = await carryOut(name, options)
    const file = `${name}.html`
    show(finished)
    await write(options.out, file, renderReport(finished))
    return { finished, file }
  } catch (error) {
    const failure = `${name}: ${messageOf(error)}`
    warn(failure)
    return { title: catalogue[name].title, failure }
  }
}

function failureOf(outcome: Outcome): string | undefined {
  if ('failure' in outcome) return outcome.failure
  return isSound(outcome.finished) ? undefined : brokenOf(outcome.finished)
}

/** Runs one experiment with a line of progress; ctrl-c ends whatever it has started. */
async function carryOut(name: ExperimentName, options: ExperimentOptions): Promise<Finished> {
  const { quick: isQuick = false } = options
  const line = createProgressLine(process.stderr)
  const progress = createProgress(catalogue[name].steps, (message) => {
    line.show({ ...message, says: `${name}: ${message.says}` })
    process.send?.(message)
  })
  let unhear = () => {}
  try {
    return await runExperiment({
      name,
      experiment: experiments[name],
      command: commandOf(name, options),
      requests: options.requests ?? (isQuick ? requestsQuick : requestsDefault),
      isQuick,
      progress,
      clock: systemClock,
      onStage(stage) {
        unhear = endOnSignal(stage)
      },
    })
  } finally {
    unhear()
    line.clear()
  }
}

/** Ends the stage and the process at ctrl-c, SIGTERM, or the end of whoever holds our channel. */
function endOnSignal(stage: Stage): () => void {
  const end = (exitCode: number) => () => {
    const leave = () => process.exit(exitCode)
    systemClock.after(endMsMax, leave)
    stage.end().then(leave, leave)
  }
  const handlers = { SIGINT: end(130), SIGTERM: end(143), SIGHUP: end(129), disconnect: end(143) }
  for (const [event, handler] of Object.entries(handlers)) process.once(event, handler)
  return () => {
    for (const [event, handler] of Object.entries(handlers)) process.off(event, handler)
  }
}

/** The words that make the same report again. */
function commandOf(name: string, { requests, quick }: ExperimentOptions): string {
  const count = requests === undefined ? '' : ` --requests ${requests}`
  return `npx drover experiment ${name}${count}${quick ? ' --quick' : ''}`
}

function brokenOf({ name, report }: Finished): string {
  const broken = report.claims.filter(({ holds }) => !holds)
  return `${name}: ${broken.map(({ says }) => says).join('; ')}`
}

function show({ title, report: { findings, claims, tables } }: Finished): void {
  say(paint('bold', title))
  for (const { says, holds } of claims) say(`  ${holds ? '✓' : '✗'} ${says}`)
  for (const finding of findings) say(`  ${finding}`)
  const [first] = tables
  if (!first) return
  const rows = first.rows.map((row) => row.map(String))
  say(`\n${table(first.heading, rows)}\n`)
}

async function write(out: string, name: string, page: string): Promise<string> {
  const folder = resolve(out)
  await mkdir(folder, { recursive: true })
  const file = join(folder, name)
  const draft = `${file}.${process.pid}`
  await writeFile(draft, page)
  await rename(draft, file)
  return file
}
