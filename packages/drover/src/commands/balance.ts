import { policies } from '@drover/balancer'
import { Command, Option } from 'commander'
import { serviceDefault } from '../config/defaults.ts'
import { loadOptions } from '../config/load.ts'
import { type Given, optionOf, toConfig } from './balance-config.ts'
import { runInForeground } from './foreground.ts'
import { type Knob, knobs } from './knobs.ts'

const examples = `Examples:
  drover balance --replicas 3 -- node server.js
      three replicas behind http://127.0.0.1:8080; each finds its port in PORT
  drover balance --listen :80 --health /healthz --in-flight 20 -- ./server --port {port}
  drover balance --min 2 --max 8 --target 10 -- node server.js
      as many replicas as the load asks for
  drover balance --to 10.0.0.5:3000 --to 10.0.0.6:3000 --policy least-connections
      replicas that run already
  drover balance --listen :5000 --policy slot-ring --manage / -- node examples/home-server/server.js
      the classroom load balancer: GET /rep, POST /add, DELETE /rm

{port}, {id} and {name} in the command are filled in; PORT, HOST, SERVER_ID and DROVER_REPLICA are set.`

/** `drover balance`: one service behind one door, from the command line alone. */
export function balanceCommand(): Command {
  const command = new Command('balance')
    .summary('Runs replicas of a command behind one address, and keeps them alive.')
    .description('Runs replicas of a command, keeps them alive, and spreads requests over them.')
    .argument('[command...]', 'what each replica runs, after --')
    .passThroughOptions()
    .addHelpText('after', () => `\n${policyHelp()}\n\n${examples}`)
  for (const knob of knobs) command.addOption(toOption(knob))
  command.optionsGroup('What is said:')
  command.option('--name <service>', 'what the service is called', 'web')
  command.option('-q, --quiet', 'says only what goes wrong')
  command.option('-o, --output', 'shows what the replicas write, too')
  return command.action(async (words: string[], given: Given) => {
    const loaded = loadOptions(toConfig(given, words), process.cwd(), optionOf)
    await runInForeground(loaded, {
      quiet: given.quiet === true,
      output: given.output === true,
    })
  })
}

function toOption(knob: Knob): Option {
  const initial = serviceDefault(knob.key)
  const shown = initial === undefined || knob.takes === 'yes' ? '' : ` (default: ${initial})`
  const option = new Option(knob.flags, `${knob.says}${shown}`).helpGroup(knob.group)
  if (knob.takes === 'list' || knob.takes === 'pairs')
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
  if (knob.key === 'admin.token') option.env('DROVER_TOKEN')
  return option
}

function policyHelp(): string {
  const rows = Object.entries(policies).map(
    ([name, { meaning }]) => `  ${name.padEnd(18)} ${meaning}`,
  )
  return ['Policies:', ...rows].join('\n')
}
