import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { nearest, systemClock } from '@drover/kernel'
import { Command } from 'commander'
import { fault } from '../errors.ts'
import { createProgress } from '../experiments/progress.ts'
import { type Report, renderReports } from '../experiments/report.ts'
import { experiments } from '../experiments/table.ts'
import { paint, say, table } from '../terminal.ts'
import { wholeNumber } from './numbers.ts'

interface ExperimentOptions {
  readonly out: string
  readonly requests: number
}

/** `drover experiment`: measures real replicas, and writes a report. */
export function experimentCommand(): Command {
  const rows = Object.entries(experiments).map(([name, { says }]) => `  ${name.padEnd(8)} ${says}`)
  return new Command('experiment')
    .summary('measure real replicas, and write a report')
    .description(
      'Starts real replicas, sends real requests, and writes a report with tables and charts.',
    )
    .argument('<name>', `${Object.keys(experiments).join(', ')} or all`)
    .option('--out <folder>', 'where the report goes', 'reports')
    .option(
      '--requests <number>',
      'how many are sent at once',
      wholeNumber('--requests', 1, 12_000),
      10_000,
    )
    .addHelpText(
      'after',
      `\nExperiments:\n${rows.join('\n')}\n  all      all of them, in one report`,
    )
    .action(async (name: string, { out, requests }: ExperimentOptions) => {
      const chosen = choose(name)
      const steps = chosen.reduce((sum, [, experiment]) => sum + experiment.steps, 0)
      const progress = createProgress(steps, process.stderr)
      const reports: Report[] = []
      for (const [, { run }] of chosen) reports.push(await run(requests, progress))
      progress.done()
      for (const report of reports) show(report)
      say(`The report is in ${await write(reports, out, name)}`)
    })
}

function choose(name: string) {
  if (name === 'all') return Object.entries(experiments)
  const experiment = experiments[name]
  if (experiment) return [[name, experiment]] as const
  const known = [...Object.keys(experiments), 'all']
  const near = nearest(name, known)
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean "${near}"?`
  throw fault('USAGE', `no experiment is called "${name}"; ${hint}`)
}

function show({ title, findings, tables }: Report): void {
  say(paint('bold', title))
  for (const finding of findings) say(`  ${finding}`)
  const [first] = tables
  if (first)
    say(
      `\n${table(
        first.heading,
        first.rows.map((row) => row.map(String)),
      )}\n`,
    )
}

async function write(reports: readonly Report[], out: string, name: string): Promise<string> {
  const folder = resolve(out)
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${name}.html`)
  await writeFile(file, renderReports(reports, new Date(systemClock.now())))
  return file
}
