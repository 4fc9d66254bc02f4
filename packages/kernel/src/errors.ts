import { type FaultRow, faults } from './fault.ts'

/** What the kernel itself may refuse; docs/errors.md is held to this table by a test. */
export const kernelFaults = {
  /** A configuration that cannot be used; the message lists every place and what was expected. */
  CONFIG_INVALID: { status: 400, retry: 'never' },
  /** Something outside did not answer before its deadline. */
  DEADLINE_PASSED: { status: 504, retry: 'later' },
  /** A request whose body, query or parameters do not fit the schema of its route. */
  REQUEST_INVALID: { status: 400, retry: 'never' },
  /** A path or thing that this server does not have. */
  NOT_FOUND: { status: 404, retry: 'never' },
  /** A missing or wrong token. */
  UNAUTHORIZED: { status: 401, retry: 'never' },
  /** A failure with no name of its own; its cause is in the server's log only. */
  INTERNAL: { status: 500, retry: 'later' },
} as const satisfies Record<string, FaultRow>

export const fault = faults(kernelFaults)
