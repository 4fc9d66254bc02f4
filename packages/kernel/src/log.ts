import { createRequire } from 'node:module'
import type { Logger } from 'pino'

/** Where the parts write what happened: pino's interface, JSON lines. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error'> & {
  child(fields: Record<string, unknown>): Log
}

/** How much and where a log writes. */
export interface LogOptions {
  /** The least level that is written. Default `info`. */
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** A file; without one, standard error. Lines are written at once, so that none is lost in a crash. */
  readonly file?: string
}

/** Returns a log that names `part` in every line. Secrets under the usual names are masked. */
export function createLog(part: string, options: LogOptions = {}): Log {
  const { level = 'info', file } = options
  // Loaded when needed: a command that cuts a file or asks a server writes no log, and is up sooner.
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino')
  return pino(
    {
      level,
      base: { part },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['*.password', '*.secret', '*.token', '*.authorization', 'headers.authorization'],
    },
    pino.destination({ dest: file ?? 2, sync: true, mkdir: true }),
  )
}

const nothing = () => {}

/** A log that says nothing. */
export const silentLog: Log = {
  ...{ trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing },
  child: () => silentLog,
}
