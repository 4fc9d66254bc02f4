import { describeError, Fault } from '@drover/kernel'
import { fault } from '../errors.ts'

/**
 * Returns what a call of a foreign server resolves to. What it throws becomes ENGINE_FAILED, but for
 * faults, the programmer's mistakes, and the reason of a caller who gave up.
 */
export async function foreign<Result>(what: string, call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (cause) {
    if (cause instanceof Fault || isOurs(cause)) throw cause
    throw fault('ENGINE_FAILED', `${what}: ${describeError(cause)}`, { cause })
  }
}

function isOurs(cause: unknown): boolean {
  if (cause instanceof RangeError || cause instanceof TypeError) return true
  return cause instanceof Error && cause.name === 'AbortError'
}
