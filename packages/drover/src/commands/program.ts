import { Command } from 'commander'
import { say } from '../terminal.ts'
import { version } from '../version.ts'
import { balanceCommand } from './balance.ts'
import { changeCommands } from './change.ts'
import { completionCommand } from './completion.ts'
import { configCommand } from './config.ts'
import { consumeCommand } from './consume.ts'
import { exitCodesHelp } from './exit-codes.ts'
import { experimentCommand } from './experiment.ts'
import { herdCommand } from './herd.ts'
import { logsCommand } from './logs.ts'
import { produceCommand } from './produce.ts'
import { queueCommand } from './queue.ts'
import { statusCommand } from './status.ts'
import { upCommand } from './up.ts'

const examples = `Examples:
  drover balance --replicas 3 -- node server.js    three replicas behind one port, kept alive
  drover up                                        everything in drover.yaml, or the tour
  drover status --watch                            who runs, how they are, and why
  drover scale web 5                               five replicas from now on
  drover restart web                               each replica anew, no request lost`

/** Returns the whole command line, nothing of it run yet. */
export function createProgram(): Command {
  const program = new Command('drover')
    .description('Runs replicas of your server, keeps them alive, and spreads requests over them.')
    .version(version, '-V, --version')
    .enablePositionalOptions()
    .showHelpAfterError('(drover --help shows what there is)')
    .addHelpText('after', `\n${examples}\n\n${exitCodesHelp}`)
  const groups: [string, Command[]][] = [
    [
      'Run:',
      [
        balanceCommand(),
        upCommand(),
        herdCommand(),
        queueCommand(),
        produceCommand(),
        consumeCommand(),
      ],
    ],
    ['Look:', [statusCommand(), logsCommand()]],
    ['Change what runs:', changeCommands()],
    ['Learn:', [experimentCommand()]],
    ['Prepare:', [configCommand(), completionCommand(() => program), versionCommand()]],
  ]
  for (const [title, commands] of groups)
    for (const command of commands) program.addCommand(command.helpGroup(title))
  stopByThrowing(program)
  return program
}

function versionCommand(): Command {
  return new Command('version')
    .description('Prints the version of Drover and of Node.js.')
    .action(() => say(`drover ${version}, Node.js ${process.version}`))
}

/** Commander would end the process by itself; the caller decides about that. */
function stopByThrowing(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) {
    inner.showHelpAfterError(`(drover ${inner.name()} --help shows what there is)`)
    stopByThrowing(inner)
  }
}
