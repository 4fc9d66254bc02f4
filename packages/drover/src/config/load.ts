import { dirname, resolve } from 'node:path'
import { Fault, loadConfig, parseConfig, parseDuration } from '@drover/kernel'
import { fault } from '../errors.ts'
import { checkConfig } from './check.ts'
import { type Config, configSchema } from './schema.ts'

/** A checked configuration and where its relative paths start. */
export interface Loaded {
  readonly config: Config
  /** The file it came from, absolute; undefined for one made of command line options. */
  readonly file: string | undefined
  /** Relative paths in `config` start here. */
  readonly folder: string
  /** Where the instance keeps what it must not forget; absolute. */
  readonly dataFolder: string
  /** How long requests may go on when the instance stops, in ms. */
  readonly graceMs: number
}

/** Reads and checks a configuration file; throws CONFIG_INVALID with a line for each problem. */
export async function loadFile(file: string): Promise<Loaded> {
  const config = withListener(await loadConfig(configSchema, file, checkConfig))
  return loaded(config, dirname(resolve(file)), resolve(file))
}

/**
 * Checks a configuration made of command line options. `optionOf` names the option behind a key
 * of the configuration, so that a refusal (USAGE) speaks of what was typed.
 */
export function loadOptions(
  value: unknown,
  folder: string,
  optionOf: (key: string) => string,
): Loaded {
  try {
    const config = parseConfig(configSchema, JSON.stringify(value), 'options', checkConfig)
    return loaded(withListener(config), folder, undefined)
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'CONFIG_INVALID') throw error
    const lines = error.message.split('\n').map((line) => inOptions(line, optionOf))
    throw fault('USAGE', lines.join('\n'), { cause: error })
  }
}

function loaded(config: Config, folder: string, file: string | undefined): Loaded {
  const graceMs = parseDuration(config.door.grace)
  return { config, file, folder, dataFolder: resolve(folder, config.data), graceMs }
}

/** Puts the option's name in the place of `options:LINE: KEY:`; names of replicas hold blanks. */
function inOptions(line: string, optionOf: (key: string) => string): string {
  return line.replace(
    /^options:\d+: (services\..+?|\S+): /,
    (_, key: string) => `${optionOf(key)}: `,
  )
}

/** One service without a listener gets the usual one. */
function withListener(config: Config): Config {
  const [name, ...others] = Object.keys(config.services)
  if (config.listeners.length > 0 || name === undefined || others.length > 0) return config
  const text = JSON.stringify({ listeners: [{ address: '127.0.0.1:8080', service: name }] })
  const { listeners } = parseConfig(configSchema, text, 'defaults')
  return { ...config, listeners }
}
