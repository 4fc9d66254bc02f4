import { type CourseAnswer, failure } from './answer.ts'

/** What came with a request: the query of a GET, the JSON body of a POST. */
export type CourseInput = Readonly<Record<string, unknown>>

/** Thrown for input of a wrong form; carries the answer to give. */
export class InputRefused extends Error {
  override readonly name = 'InputRefused'
  readonly answer: CourseAnswer

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.answer = failure(message)
  }
}

/** Returns the text under `key`. Throws InputRefused when it is missing or no text. */
export function textOf(input: CourseInput, key: string): string {
  const value = optionalTextOf(input, key)
  if (value === undefined) throw new InputRefused(`${key} is missing`)
  return value
}

/** Returns the text under `key`; undefined when it is missing or null. Throws InputRefused for no text. */
export function optionalTextOf(input: CourseInput, key: string): string | undefined {
  const value = Object.hasOwn(input, key) ? (input[key] ?? undefined) : undefined
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw new InputRefused(`${key} must be a text`)
  if (!value.isWellFormed()) throw new InputRefused(`${key} is not well-formed Unicode`)
  return value
}

/** Returns the id under `key`: a whole number from 0, or a text of its digits. Throws InputRefused. */
export function idOf(input: CourseInput, key: string): number {
  const value = Object.hasOwn(input, key) ? input[key] : undefined
  const wanted = `${key} must be a whole number from 0`
  if (value === undefined || value === null) throw new InputRefused(`${key} is missing`)
  if (typeof value !== 'number' && typeof value !== 'string') throw new InputRefused(wanted)
  const id = /^\s*\d{1,15}\s*$/.test(String(value)) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(id)) throw new InputRefused(wanted)
  return id
}
