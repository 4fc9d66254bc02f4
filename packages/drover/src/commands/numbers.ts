import { fault } from '../errors.ts'

/** Returns a reader of whole numbers from `least` to `most` that names `what` when it refuses (USAGE). */
export function wholeNumber(what: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least && number <= most) return number
    throw fault('USAGE', `${what}: expected a whole number from ${least} to ${most}, not "${text}"`)
  }
}

/** Returns a reader of numbers from 0 to 1 that names `what` when it refuses (USAGE). */
export function share(what: string): (text: string) => number {
  return (text) => {
    if (/^(0|1|[01]?\.\d+)$/.test(text) && Number(text) <= 1) return Number(text)
    throw fault('USAGE', `${what}: expected a number from 0 to 1, not "${text}"`)
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
