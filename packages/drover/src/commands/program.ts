import { Command } from 'commander'
import { say } from '../terminal.ts'
import { version } from '../version.ts'
import { exitCodesHelp } from './exit-codes.ts'

/** Commands that one file makes; it is loaded only when one of them is asked for. */
interface CommandFile {
  readonly title: string
  readonly names: readonly string[]
  readonly load: (program: () => Command) => Promise<readonly Command[]>
}

const run = 'Run:'
const look = 'Look:'
const prepare = 'Prepare:'

/** Every command, in the order of the help. Loading all of them takes four times as long as one. */
const files: readonly CommandFile[] = [
  only(run, 'balance', async () => (await import('./balance.ts')).balanceCommand()),
  only(run, 'up', async () => (await import('./up.ts')).upCommand()),
  only(run, 'herd', async () => (await import('./herd.ts')).herdCommand()),
  only(run, 'queue', async () => (await import('./queue/queue.ts')).queueCommand()),
  only(run, 'jobs', async () => (await import('./jobs/jobs.ts')).jobsCommand()),
  only(run, 'produce', async () => (await import('./queue/produce.ts')).produceCommand()),
  only(run, 'consume', async () => (await import('./queue/consume.ts')).consumeCommand()),
  only(look, 'status', async () => (await import('./status.ts')).statusCommand()),
  only(look, 'logs', async () => (await import('./logs.ts')).logsCommand()),
  {
    title: 'Change what runs:',
    names: ['scale', 'restart', 'drain', 'kill', 'fault', 'weight', 'policy', 'reload'],
    load: async () => (await import('./change.ts')).changeCommands(),
  },
  only('Chunk files:', 'chunk', async () => (await import('./chunks/chunk.ts')).chunkCommand()),
  only('Chunk files:', 'join', async () => (await import('./chunks/join.ts')).joinCommand()),
  only('Chunk files:', 'chunks', async () => (await import('./chunks/chunks.ts')).chunksCommand()),
  only('Learn:', 'experiment', async () => (await import('./experiment.ts')).experimentCommand()),
  only(prepare, 'init', async () => (await import('./init.ts')).initCommand()),
  only(prepare, 'doctor', async () => (await import('./doctor.ts')).doctorCommand()),
  only(prepare, 'config', async () => (await import('./config.ts')).configCommand()),
  {
    title: prepare,
    names: ['completion'],
    load: async (program) => [(await import('./completion.ts')).completionCommand(program)],
  },
  only(prepare, 'version', async () => versionCommand()),
]

const examples = `Examples:
  drover balance --replicas 3 -- node server.js    three replicas behind one port, kept alive
  drover up                                        everything in drover.yaml, or the tour
  drover status --watch                            who runs, how they are, and why
  drover scale web 5                               five replicas from now on
  drover restart web                               each replica anew, no request lost`

/**
 * Returns the command line for `words`, nothing of it run yet: the command that they begin with, or
 * all of them when they begin with something else (a mistake, `--help`, a wish to complete).
 */
export async function createProgram(words: readonly string[] = []): Promise<Command> {
  const program = new Command('drover')
    .description('Runs replicas of your server, keeps them alive, and spreads requests over them.')
    .version(version, '-V, --version')
    .enablePositionalOptions()
    .showHelpAfterError('(drover --help shows what there is)')
    .addHelpText('after', `\n${examples}\n\n${exitCodesHelp}`)
  const [first = ''] = words
  const asked = files.filter(({ names }) => names.includes(first) && first !== 'completion')
  for (const { title, load } of asked.length > 0 ? asked : files)
    for (const command of await load(() => program)) program.addCommand(command.helpGroup(title))
  stopByThrowing(program)
  return program
}

function only(title: string, name: string, load: () => Promise<Command>): CommandFile {
  return { title, names: [name], load: async () => [await load()] }
}

function versionCommand(): Command {
  return new Command('version')
    .description('Prints the version of Drover and of Node.js.')
    .action(() => say(`drover ${version}, Node.js ${process.version}`))
}

/** Commander would end the process by itself; the caller decides about that. */
function stopByThrowing(command: Command, name = 'drover'): void {
  command.exitOverride()
  for (const inner of command.commands) {
    const innerName = `${name} ${inner.name()}`
    inner.showHelpAfterError(`(${innerName} --help shows what there is)`)
    stopByThrowing(inner, innerName)
  }
}
