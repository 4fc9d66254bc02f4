import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { loadFile } from '../config/load.ts'
import { runInForeground } from './foreground.ts'
import { loadTour } from './tour.ts'

const defaultFile = 'drover.yaml'

interface UpOptions {
  readonly config?: string
  readonly quiet?: boolean
  readonly output?: boolean
}

/** `drover up`: everything in drover.yaml; without a file, the tour. */
export function upCommand(): Command {
  return new Command('up')
    .summary('run everything in drover.yaml; without a file, the tour')
    .description(
      'Runs everything in drover.yaml until ctrl-c. SIGHUP and `drover reload` read it again.\nWithout a file it runs the tour: every part, and a page that shows them.',
    )
    .option('-c, --config <file>', `the configuration (default: ${defaultFile}, if there is one)`)
    .option('-q, --quiet', 'says only what goes wrong')
    .option('-o, --output', 'shows what the replicas write, too')
    .action(async ({ config, ...options }: UpOptions) => {
      const file = config ?? (existsSync(defaultFile) ? defaultFile : undefined)
      if (file !== undefined) return runInForeground(await loadFile(file), options)
      const { loaded, hints } = await loadTour()
      return runInForeground(loaded, { ...options, hints })
    })
}
