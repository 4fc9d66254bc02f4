import { fault } from '../errors.ts'

/**
 * Runs work that cleans up behind itself when its signal comes: ctrl-c and SIGTERM stop it so, and a
 * second one ends the process at once. Throws INTERRUPTED.
 */
export async function untilInterrupted<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController()
  const stop = () => abort.abort(fault('INTERRUPTED', 'stopped; nothing half-written is left'))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await work(abort.signal)
  } catch (error) {
    // What was interrupted may fail in other words.
    throw abort.signal.aborted ? abort.signal.reason : error
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
