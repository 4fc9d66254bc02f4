import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { Command } from 'commander'
import { type Loaded, loadFile } from '../config/load.ts'
import { findInstance } from '../data-folder.ts'
import { examineEngines } from '../doctor/engines.ts'
import type { Finding } from '../doctor/finding.ts'
import { examineDisk, examineMachine } from '../doctor/machine.ts'
import { examineAddresses } from '../doctor/ports.ts'
import { fault } from '../errors.ts'
import { paint, say, table } from '../terminal.ts'
import { version } from '../version.ts'
import { messageOf } from './exit-codes.ts'

const defaultFile = 'drover.yaml'
const usualAddresses = ['127.0.0.1:8080', '127.0.0.1:8081']

interface DoctorOptions {
  readonly config?: string
  readonly json?: boolean
}

/** `drover doctor`: what on this machine would keep Drover from running well. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('Looks at this machine: limits, ports, disk, engines.')
    .description(
      'Looks at limits, ports, disk, engines and the configuration, and says what to do.\nIt changes nothing. Exit code 1 when something would keep Drover from running.',
    )
    .option('-c, --config <file>', `the configuration (default: ${defaultFile}, if there is one)`)
    .option('--json', 'the findings as JSON')
    .action(async ({ config, json }: DoctorOptions) => {
      const findings = await examine(config)
      say(json ? JSON.stringify({ version, findings }, undefined, 2) : report(findings))
      const bad = findings.filter(({ verdict }) => verdict === 'bad')
      if (bad.length > 0)
        throw fault('UNFIT', `${bad.length} would keep Drover from running well here`)
    })
}

async function examine(named: string | undefined): Promise<Finding[]> {
  const file = named ?? (existsSync(defaultFile) ? defaultFile : undefined)
  const loaded = file === undefined ? undefined : await loadFile(file).catch((error) => error)
  const machine = await examineMachine()
  const engines = await examineEngines()
  if (loaded instanceof Error) {
    const found = messageOf(loaded)
    return [...machine, { what: 'configuration', verdict: 'bad', found }, ...engines]
  }
  return [...machine, ...(await examinePlace(file, loaded)), ...engines]
}

/** The disk and the addresses that would be used; those of an instance that runs are its own. */
async function examinePlace(file: string | undefined, loaded?: Loaded): Promise<Finding[]> {
  const folder = existing(loaded?.dataFolder ?? process.cwd())
  const running = await findInstance(loaded?.dataFolder ?? '.drover')
  const addresses = loaded ? addressesOf(loaded) : usualAddresses
  const places: Finding[] = running
    ? [{ what: 'instance', verdict: 'good', found: `runs as process ${running.pid}` }]
    : await examineAddresses(addresses)
  const good: Finding[] = file
    ? [{ what: 'configuration', verdict: 'good', found: `${file} is good` }]
    : []
  return [...(await examineDisk(folder)), ...good, ...places]
}

function addressesOf({ config }: Loaded): string[] {
  const admin = config.admin.address ?? usualAddresses[1] ?? 'off'
  const listeners = config.listeners.map(({ address }) => address)
  return [...listeners, admin].filter((address) => address !== 'off')
}

/** The data folder, or the nearest folder above it that is there. */
function existing(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : existing(dirname(folder))
}

const marks = {
  good: paint('green', 'good'),
  poor: paint('yellow', 'poor'),
  bad: paint('red', 'bad'),
  absent: '-',
}

function report(findings: readonly Finding[]): string {
  const rows = findings.map(({ what, verdict, found, advice }) => [
    what,
    marks[verdict],
    advice === undefined ? found : `${found}: ${advice}`,
  ])
  return table(['what', '', `found by drover ${version}`], rows)
}
