import { fault } from '../errors.ts'
import { checkName, completeTopicOptions } from '../options.ts'

type Check = (name: string, value: unknown) => void
type Fields = Readonly<Record<string, unknown>>

/** What each parameter of a call must be, whichever the method. */
const checks: Readonly<Record<string, Check>> = {
  ...each(checkInteger, 'id', 'epoch', 'generation', 'offset', 'start', 'bytesMax', 'count'),
  ...each(checkDuration, 'waitMs', 'leaseMs'),
  ...each(checkObject, 'target', 'options'),
  ids: listOf(1_024, checkInteger),
  offsets: listOf(100_000, checkInteger),
  tokens: listOf(100_000, checkText),
  group: (_, value) => checkName('group', value as string),
  spec: checkSpec,
}

/** Throws OPTION_INVALID and NAME_INVALID for what would otherwise get into the log or into a timer. */
export function checkParams(params: object): void {
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && Object.hasOwn(checks, name)) checks[name]?.(name, value)
}

function each(check: Check, ...names: readonly string[]): Record<string, Check> {
  return Object.fromEntries(names.map((name) => [name, check]))
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
  completeTopicOptions(topic as string, options as Fields)
}

function invalid(name: string, value: unknown, wanted: string) {
  const text = JSON.stringify(value) ?? 'nothing'
  return fault('OPTION_INVALID', `${name} is ${text.slice(0, 60)}, not ${wanted}`)
}
