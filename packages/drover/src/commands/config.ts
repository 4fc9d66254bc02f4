import { tryModel } from '@drover/balancer'
import { Command } from 'commander'
import { stringify } from 'yaml'
import { withDerived } from '../config/derived.ts'
import { loadFile } from '../config/load.ts'
import { type Config, configSchema } from '../config/schema.ts'
import { withoutSecrets } from '../config/secrets.ts'
import { type ModelContext, toModel } from '../config/to-model.ts'
import { say } from '../terminal.ts'

const defaultFile = 'drover.yaml'

/** `drover config`: looks at a configuration without running it. */
export function configCommand(): Command {
  const command = new Command('config').description('Checks and shows a configuration.')
  command
    .command('check')
    .description('Says every mistake in a configuration: file, line, key and what was expected.')
    .argument('[file]', '', defaultFile)
    .action(async (file: string) => {
      const loaded = await loadFile(file)
      const { config } = loaded
      await tryModel(toModel(loaded, pretended(config)), config.door.engine)
      const listeners = config.listeners.length
      const services = Object.keys(config.services).length
      say(`${file} is good: ${count(services, 'service')}, ${count(listeners, 'listener')}`)
    })
  command
    .command('show')
    .description('Prints the configuration that is in effect, every default filled in.')
    .argument('[file]', '', defaultFile)
    .action(async (file: string) => {
      const { config } = await loadFile(file)
      say(stringify(withoutSecrets(withDerived(config))).trimEnd())
    })
  command
    .command('schema')
    .description('Prints the JSON Schema of drover.yaml, for editors.')
    .action(() => {
      const dialect = { $schema: 'https://json-schema.org/draft/2020-12/schema' }
      say(JSON.stringify({ ...dialect, ...configSchema }, null, 2))
    })
  return command
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** Stands for what only a running instance has: its secret, and the address of its management API. */
function pretended({ manage }: Config): ModelContext {
  return {
    stickySecret: 'x'.repeat(16),
    manageAddress: manage ? { host: '127.0.0.1', port: 1 } : undefined,
  }
}
