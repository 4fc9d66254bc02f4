import { fault } from '../errors.ts'
import { checkName, completeTopicOptions, topicDefaults } from '../options.ts'

type Check = (name: string, value: unknown) => void
type Fields = Readonly<Record<string, unknown>>

/** What each parameter of a call must be, whichever the method. */
const checks: Readonly<Record<string, Check>> = {
  ...each(checkInteger, 'id', 'epoch', 'generation', 'offset', 'start', 'bytesMax', 'count'),
  ...each(checkDuration, 'waitMs', 'leaseMs', 'delayMs'),
  ...each(checkText, 'reason'),
  ids: listOf(1_024, checkInteger),
  offsets: listOf(100_000, checkInteger),
  tokens: listOf(100_000, checkText),
  group: (_, value) => checkName('group', value as string),
  acks: oneOf('disk', 'memory'),
  from: checkPosition,
  target: checkTarget,
  options: checkFields,
  spec: checkSpec,
}

/** What a method cannot do without. */
const needed: Readonly<Record<string, readonly string[]>> = {
  ...each(['id'], 'produce', 'lag', 'purge', 'drop', 'test', 'copy.append'),
  ...each(['id', 'group'], 'committed', 'counts'),
  ...each(['id', 'epoch'], 'fence', 'resume'),
  ...each(['tokens'], 'ack', 'nack'),
  bounds: ['ids'],
  fetch: ['id', 'from'],
  commit: ['id', 'group', 'offset'],
  'group.fence': ['id', 'group', 'generation'],
  lease: ['ids', 'group', 'count', 'leaseMs'],
  wait: ['ids', 'group', 'waitMs'],
  extend: ['tokens', 'leaseMs'],
  cancel: ['id', 'target'],
  peek: ['id', 'group', 'count'],
  dead: ['count'],
  bury: ['id', 'group', 'offsets'],
  own: ['spec'],
  copy: ['spec', 'start'],
  'copy.read': ['id', 'offset', 'bytesMax'],
  adopt: ['spec'],
}

/** Throws OPTION_INVALID and NAME_INVALID for what would otherwise get into the log or into a timer. */
export function checkParams(method: string, params: object): void {
  const given = params as Fields
  for (const name of needed[method] ?? [])
    if (given[name] === undefined) throw invalid(name, undefined, 'there')
  checkFields('params', given)
}

/** Checks what is known by name; the rest is not used. */
function checkFields(name: string, value: unknown): void {
  checkObject(name, value)
  for (const [field, one] of Object.entries(value as Fields))
    if (one !== undefined && Object.hasOwn(checks, field)) checks[field]?.(field, one)
}

function each<Value>(value: Value, ...names: readonly string[]): Record<string, Value> {
  return Object.fromEntries(names.map((name) => [name, value]))
}

function oneOf(...words: readonly string[]): Check {
  return (name, value) => {
    if (!words.includes(value as string)) throw invalid(name, value, words.join(' or '))
  }
}

function listOf(most: number, check: Check): Check {
  return (name, value) => {
    if (!(Array.isArray(value) && value.length <= most))
      throw invalid(name, value, `a list of up to ${most}`)
    for (const one of value) check(name, one)
  }
}

function checkInteger(name: string, value: unknown): void {
  if (!(Number.isSafeInteger(value) && (value as number) >= 0))
    throw invalid(name, value, 'a whole number from 0 on')
}

function checkDuration(name: string, value: unknown): void {
  if (!(typeof value === 'number' && value >= 0)) throw invalid(name, value, 'a number from 0 on')
}

function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalid(name, value, 'a text')
}

function checkObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(name, value, 'an object')
}

function checkPosition(name: string, value: unknown): void {
  if (value === 'earliest' || value === 'latest') return
  checkObject(name, value)
  const { offset, timeMs } = value as Fields
  if (offset !== undefined) checkInteger('offset', offset)
  else checkDuration('timeMs', timeMs)
}

function checkTarget(name: string, value: unknown): void {
  checkObject(name, value)
  const { offset, dedupeKey } = value as Fields
  if (offset !== undefined) checkInteger('offset', offset)
  else checkText('dedupeKey', dedupeKey)
}

/** A partition's number stands in four bytes of each batch, of which the highest is that of events. */
function checkSpec(name: string, value: unknown): void {
  checkObject(name, value)
  const { topic, options, ...numbers } = value as Fields
  for (const part of ['id', 'index', 'epoch']) {
    checkInteger(part, numbers[part])
    if ((numbers[part] as number) >= 0xffff_ffff)
      throw invalid(part, numbers[part], 'a number of four bytes')
  }
  checkName('topic', topic as string)
  checkObject('options', options)
  for (const [option, one] of Object.entries(topicDefaults))
    if (typeof (options as Fields)[option] !== typeof one) throw invalid(option, one, typeof one)
  completeTopicOptions(topic as string, options as Fields)
}

function invalid(name: string, value: unknown, wanted: string) {
  const text = JSON.stringify(value) ?? 'nothing'
  return fault('OPTION_INVALID', `${name} is ${text.slice(0, 60)}, not ${wanted}`)
}
