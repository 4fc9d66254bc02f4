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

/**
 * Returns what runs the calls of the engine `name` on its connection, each as `foreign` does; without
 * a connection they throw BROKER_STOPPED.
 */
export function foreignCalls<Connected>(name: string, connected: () => Connected | undefined) {
  const use = () => {
    const parts = connected()
    if (!parts) throw fault('BROKER_STOPPED', `the ${name} engine is not connected`)
    return parts
  }
  return <Result>(what: string, call: (parts: Connected) => Promise<Result>): Promise<Result> =>
    foreign(
      what,
      Promise.resolve().then(() => call(use())),
    )
}

function isOurs(cause: unknown): boolean {
  if (cause instanceof RangeError || cause instanceof TypeError) return true
  return cause instanceof Error && cause.name === 'AbortError'
}
