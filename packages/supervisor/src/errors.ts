import { type FaultRow, faults } from '@drover/kernel'

/** What the supervisor may refuse; docs/errors.md is held to this table by a test. */
export const supervisorFaults = {
  /** A number of replicas that is not a whole number in the allowed range. */
  SCALE_INVALID: { status: 400, retry: 'never' },
  /** More names than replicas to add or to remove. */
  NAMES_TOO_MANY: { status: 400, retry: 'never' },
  /** The same name twice in one call. */
  NAME_TWICE: { status: 400, retry: 'never' },
  /** A name with characters that cannot be part of a name, or a name too long. */
  NAME_INVALID: { status: 400, retry: 'never' },
  /** A name that a replica has already. */
  NAME_TAKEN: { status: 409, retry: 'never' },
  /** No replica of the group has that name. */
  UNKNOWN_REPLICA: { status: 404, retry: 'never' },
  /** More replicas to remove than there are. */
  REPLICAS_TOO_FEW: { status: 400, retry: 'never' },
  /** A group's specification that cannot be run. */
  SPEC_INVALID: { status: 400, retry: 'never' },
  /** A replica could not be started at all: no such program, image or folder. */
  SPAWN_FAILED: { status: 500, retry: 'later' },
  /** A container that Drover did not start has the name that a replica needs. */
  CONTAINER_FOREIGN: { status: 409, retry: 'later' },
  /** The container engine did not answer, or not as its API promises. */
  ENGINE_FAILED: { status: 502, retry: 'later' },
  /** A rolling restart ended early, because a new replica did not become ready. */
  ROLL_STOPPED: { status: 409, retry: 'later' },
  /** A call on a group that was stopped. */
  GROUP_STOPPED: { status: 409, retry: 'never' },
  /** Another living supervisor keeps its replicas in the same data folder. */
  FOLDER_IN_USE: { status: 409, retry: 'later' },
} as const satisfies Record<string, FaultRow>

export const fault = faults(supervisorFaults)
