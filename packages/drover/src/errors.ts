import { type FaultRow, faults } from '@drover/kernel'

/** What the command and its admin API may refuse; docs/errors.md is held to this table by a test. */
export const droverFaults = {
  /** Another instance runs on the same data folder; the message names its process and address. */
  INSTANCE_RUNNING: { status: 409, retry: 'never' },
  /** The data folder cannot be made, read or written. */
  DATA_FOLDER_UNUSABLE: { status: 500, retry: 'never' },
  /** An address to listen on is taken by another program, or may not be used. */
  ADDRESS_TAKEN: { status: 409, retry: 'never' },
  /** A server of the herd could not start, and would not at another try; it has said why. */
  HERD_UNABLE: { status: 500, retry: 'never' },
  /** A server of the herd answered a line with a question mark: it is wrong, or the client unknown. */
  HERD_REFUSES: { status: 422, retry: 'never' },
  /** No running instance was found where the command looked for its admin API. */
  NOT_RUNNING: { status: 503, retry: 'later' },
  /** The admin API answered with something that is not its own. */
  ADMIN_STRANGE: { status: 502, retry: 'never' },
  /** A service name that the configuration does not have. */
  UNKNOWN_SERVICE: { status: 404, retry: 'never' },
  /** No replica of the service has that name. */
  REPLICA_UNKNOWN: { status: 404, retry: 'never' },
  /** A policy that does not exist; the message names the nearest. */
  POLICY_UNKNOWN: { status: 400, retry: 'never' },
  /** A replica that takes no faults: it has no POST /fault as the sample server has. */
  FAULT_UNSUPPORTED: { status: 409, retry: 'never' },
  /** A replica did not answer what Drover itself asked of it, or has no address yet. */
  REPLICA_SILENT: { status: 504, retry: 'later' },
  /** A service with fixed addresses: there is nothing of it to scale, restart or read. */
  NOTHING_RUNS: { status: 409, retry: 'never' },
  /** A reload that changes what can only change with a restart; the old configuration stays. */
  RESTART_NEEDED: { status: 409, retry: 'never' },
  /** A rolling restart ended before every replica was new; the old ones stay. */
  RESTART_FAILED: { status: 409, retry: 'later' },
  /** A Host or Origin header that a browser was tricked into sending. */
  FOREIGN_ORIGIN: { status: 403, retry: 'never' },
  /** As many clients listen to events and logs as may. */
  STREAMS_TOO_MANY: { status: 503, retry: 'later' },
  /** A request of the classroom management API that it must refuse. */
  MANAGE_REFUSED: { status: 400, retry: 'never' },
  /** A word on the command line that cannot be used; the message names the nearest right one. */
  USAGE: { status: 400, retry: 'never' },
  /** Ctrl-c or SIGTERM stopped a command before it was done; nothing half-written is left. */
  INTERRUPTED: { status: 499, retry: 'never' },
  /** `drover doctor` found what would keep Drover from running on this machine. */
  UNFIT: { status: 500, retry: 'never' },
  /** No replica of a part is ready, or it did not answer. */
  PART_UNAVAILABLE: { status: 503, retry: 'later' },
  /** An experiment could not be carried out. */
  EXPERIMENT_FAILED: { status: 500, retry: 'later' },
  /** An experiment ran, and found that something does not hold; its report says what. */
  CLAIM_BROKEN: { status: 500, retry: 'never' },
  /** No experiment has that name; the message names the nearest. */
  EXPERIMENT_UNKNOWN: { status: 404, retry: 'never' },
  /** An experiment runs already: they would spoil each other's figures. */
  EXPERIMENT_RUNNING: { status: 409, retry: 'later' },
  /** An experiment that does not run cannot be cancelled. */
  EXPERIMENT_IDLE: { status: 409, retry: 'never' },
  /** The experiment has not been run here, so there is nothing to read. */
  REPORT_MISSING: { status: 404, retry: 'never' },
} as const satisfies Record<string, FaultRow>

export const fault = faults(droverFaults)
