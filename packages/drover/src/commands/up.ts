import { existsSync } from 'node:fs'
import { Fault } from '@drover/kernel'
import { Command } from 'commander'
import { loadFile } from '../config/load.ts'
import { fault } from '../errors.ts'
import { type ForegroundOptions, runInForeground } from './foreground.ts'
import { wholeNumber } from './numbers.ts'
import { loadTour } from './tour.ts'

const defaultFile = 'drover.yaml'

interface UpOptions {
  readonly config?: string
  readonly quiet?: boolean
  readonly output?: boolean
  readonly shift?: number
}

/** `drover up`: everything in drover.yaml; without a file, the tour. */
export function upCommand(): Command {
  return new Command('up')
    .summary('Runs everything in drover.yaml; without a file, the tour.')
    .description(
      'Runs everything in drover.yaml until ctrl-c. SIGHUP and `drover reload` read it again.\nWithout a file it runs the tour: every part, and a page that shows them.',
    )
    .option('-c, --config <file>', `the configuration (default: ${defaultFile}, if there is one)`)
    .option('-q, --quiet', 'says only what goes wrong')
    .option('-o, --output', 'shows what the replicas write, too')
    .option(
      '--shift <number>',
      'the tour on other ports: added to each',
      wholeNumber('--shift', 0, 40_000),
    )
    .action(async ({ config, shift, ...options }: UpOptions) => {
      const file = config ?? (existsSync(defaultFile) ? defaultFile : undefined)
      if (file === undefined) return runTour(shift, options)
      if (shift !== undefined) throw fault('USAGE', `--shift: moves the tour, not ${file}`)
      return runInForeground(await loadFile(file), options)
    })
}

async function runTour(shift: number | undefined, options: ForegroundOptions): Promise<void> {
  const { loaded, hints } = await loadTour(shift)
  try {
    await runInForeground(loaded, { ...options, hints })
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'ADDRESS_TAKEN') throw error
    const message = `${error.message}; drover up --shift 100 runs the tour on other ports`
    throw fault('ADDRESS_TAKEN', message, { cause: error })
  }
}
