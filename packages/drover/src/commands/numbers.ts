import { fault } from '../errors.ts'

/** Returns a reader of whole numbers from `least` to `most` that names `what` when it refuses (USAGE). */
export function wholeNumber(what: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least && number <= most) return number
    throw fault('USAGE', `${what}: expected a whole number from ${least} to ${most}, not "${text}"`)
  }
}

/** Returns a reader of numbers above 0, at most `most`, that names `what` when it refuses (USAGE). */
export function positiveNumber(what: string, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+(\.\d+)?$/.test(text) && number > 0 && number <= most) return number
    throw fault('USAGE', `${what}: expected a number above 0 and at most ${most}, not "${text}"`)
  }
}
