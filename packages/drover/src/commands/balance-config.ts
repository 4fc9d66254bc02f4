import { fault } from '../errors.ts'
import { type Knob, knobs } from './knobs.ts'
import { numberOr, readPair } from './pairs.ts'

/** What commander makes of the options: a value for each camel-cased name. */
export type Given = Readonly<Record<string, unknown>>

/** The one service of `drover balance`. */
const defaultName = 'web'

type Table = Record<string, unknown>

/** Returns the configuration that the options and the command's words mean, not checked yet. */
export function toConfig(given: Given, words: readonly string[]): Table {
  const name = typeof given.name === 'string' ? given.name : defaultName
  const service: Table = {}
  const listener: Table = {}
  const config: Table = { services: { [name]: service } }
  const roots: Record<string, Table> = { service, listener }

  for (const knob of knobs) {
    const value = read(knob, given[attributeOf(knob)])
    if (value === undefined) continue
    const [first = '', ...rest] = knob.key.split('.')
    const root = roots[first]
    if (root) put(root, rest, value)
    else put(config, [first, ...rest], value)
  }
  spell(service, listener)
  runWords(service, words)
  const addresses = (config.listeners as string[] | undefined) ?? ['127.0.0.1:8080']
  config.listeners = addresses.map((address) => ({ ...listener, address, service: name }))
  return config
}

/** Returns the option that sets `key` (as in a refusal), or the key itself. */
export function optionOf(key: string): string {
  const plain = key.replace(/^services\.[^.]*/, 'service').replace(/^listeners\.\d+\./, 'listener.')
  const wanted = plain === 'listener.address' ? 'listeners' : plain
  const fitting = knobs
    .filter((knob) => wanted === knob.key || wanted.startsWith(`${knob.key}.`))
    .sort((one, other) => other.key.length - one.key.length)
  const [knob] = fitting
  if (knob) return `--${longName(knob)}`
  return plain === 'service' ? '--name' : key
}

/** The long name of an option without its dashes: `replicas`. */
function longName({ flags }: Knob): string {
  return /--([a-z-]+)/.exec(flags)?.[1] ?? flags
}

function attributeOf(knob: Knob): string {
  return longName(knob).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function read(knob: Knob, value: unknown): unknown {
  if (value === undefined) return undefined
  if (knob.takes === 'number') return numberOr(String(value))
  if (knob.takes !== 'pairs') return value
  const pairs = (value as string[]).map((pair) => readPair(`--${longName(knob)}`, pair))
  const holdsNumbers = knob.key === 'service.policyOptions'
  return Object.fromEntries(
    pairs.map(([name, text]) => [name, holdsNumbers ? numberOr(text) : text]),
  )
}

function put(root: Table, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) root[key] = value
  else {
    const list = /^\d+$/.test(rest[0] ?? '')
    const inner = (root[key] ?? (list ? [] : {})) as Table
    root[key] = inner
    put(inner, rest, value)
  }
}

/** Options that say something more shortly than the configuration does. */
function spell(service: Table, listener: Table): void {
  if (listener.protocol === true) listener.protocol = 'tcp'
  const health = service.health as Table | undefined
  if (health?.path === 'tcp') {
    delete health.path
    health.check = 'tcp'
  }
  if (typeof service.weights === 'string')
    service.weights = readWeights(service.weights, service.addresses)
}

/** `8,1,1` are the shares of the first three, under the names that they will have. */
function readWeights(text: string, addresses: unknown): Table {
  const named = Array.isArray(addresses) ? (addresses as string[]) : undefined
  const weights = text.split(',').map((part, index): [string, unknown] => {
    return [named?.[index] ?? `Server ${index + 1}`, numberOr(part.trim())]
  })
  return Object.fromEntries(weights)
}

function runWords(service: Table, words: readonly string[]): void {
  const docker = service.docker as Table | undefined
  if (docker) docker.command = words
  else if (words.length > 0) service.command = words
  else if (!service.addresses)
    throw fault('USAGE', 'nothing to run: put a command after --, or name --docker or --to')
}
