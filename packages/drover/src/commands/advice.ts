import { Fault } from '@drover/kernel'
import { fault } from '../errors.ts'

/** Does the work; a fault of one of these codes says what to do about it as well (NOT_RUNNING). */
export async function advised<Result>(
  codes: readonly string[],
  advice: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof Fault && codes.includes(cause.code))) throw cause
    throw fault('NOT_RUNNING', `${cause.message}; ${advice}`, { cause })
  }
}
