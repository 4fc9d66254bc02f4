import { type FaultRow, faults } from '@drover/kernel'

/** What the queue may refuse or fail at; docs/errors.md is held to this table by a test. */
export const queueFaults = {
  /** A name of a topic, group, member or broker with characters that cannot be part of one. */
  NAME_INVALID: { status: 400, retry: 'never' },
  /** No topic has that name. */
  TOPIC_UNKNOWN: { status: 404, retry: 'never' },
  /** A topic has that name already. */
  TOPIC_EXISTS: { status: 409, retry: 'never' },
  /** The limit on topics is reached. */
  TOPICS_TOO_MANY: { status: 403, retry: 'never' },
  /** The topic has no partition of that number. */
  PARTITION_UNKNOWN: { status: 404, retry: 'never' },
  /** More partitions than a topic, or the whole queue, may have. */
  PARTITIONS_TOO_MANY: { status: 403, retry: 'never' },
  /** A topic's option, a position or a number in a call that is out of its range. */
  OPTION_INVALID: { status: 400, retry: 'never' },
  /** This engine cannot do that; the README's table says which can. */
  FEATURE_MISSING: { status: 501, retry: 'never' },
  /** A message with a priority, time, key or header that cannot be. */
  MESSAGE_INVALID: { status: 400, retry: 'never' },
  /** A message over the limit in bytes. */
  MESSAGE_TOO_LARGE: { status: 413, retry: 'never' },
  /** A batch whose bytes do not fit its own lengths or checksums; nothing of it was stored. */
  BATCH_INVALID: { status: 400, retry: 'never' },
  /** A batch over the limit in bytes or messages. */
  BATCH_TOO_LARGE: { status: 413, retry: 'never' },
  /** Too many messages with a priority or a due time are waiting in one partition. */
  SCHEDULED_TOO_MANY: { status: 429, retry: 'later' },
  /** A producer's sequence number that leaves out some: an earlier batch was lost on the way. */
  SEQUENCE_GAP: { status: 409, retry: 'never' },
  /** Another producer with the same number and a higher epoch has taken over. */
  PRODUCER_FENCED: { status: 409, retry: 'never' },
  /** An offset past the end of the partition. */
  OFFSET_OUT_OF_RANGE: { status: 416, retry: 'never' },
  /** The group does not know this member (any more); join again. */
  MEMBER_UNKNOWN: { status: 404, retry: 'never' },
  /** The partition has another reader by now. */
  GENERATION_STALE: { status: 409, retry: 'never' },
  /** A lease token that this queue never gave out. */
  TOKEN_INVALID: { status: 400, retry: 'never' },
  /** The disk is over the high-water mark: nothing is stored, reads go on. */
  DISK_FULL: { status: 507, retry: 'later' },
  /** A write or sync failed; the broker stops taking writes until it has opened its files anew. */
  DISK_FAILED: { status: 503, retry: 'later' },
  /** Bytes in the middle of a log are not what was written; the message names file and offset. */
  LOG_DAMAGED: { status: 500, retry: 'never' },
  /** A file that a newer version wrote, or that is none of ours. */
  FORMAT_UNKNOWN: { status: 500, retry: 'never' },
  /** Too much is waiting to be written; slow down. */
  BROKER_BUSY: { status: 503, retry: 'later' },
  /** The broker or the queue is shutting down. */
  BROKER_STOPPED: { status: 503, retry: 'later' },
  /** The partition is another broker's; ask for the placement again. */
  NOT_OWNER: { status: 421, retry: 'now' },
  /** No connection to the broker, or no answer in time. */
  BROKER_UNREACHABLE: { status: 503, retry: 'later' },
  /** No broker has that name. */
  BROKER_UNKNOWN: { status: 404, retry: 'never' },
  /** A broker has that name already. */
  BROKER_EXISTS: { status: 409, retry: 'never' },
  /** The last broker cannot leave while there are topics. */
  LAST_BROKER: { status: 409, retry: 'never' },
  /** A test message written through the broker did not come back as it was. */
  BROKER_FAULTY: { status: 500, retry: 'later' },
  /** Another living process keeps its queue in the same folder. */
  FOLDER_IN_USE: { status: 409, retry: 'later' },
  /** Bytes on a connection that are no frame of the protocol. */
  FRAME_INVALID: { status: 400, retry: 'never' },
  /** A manager of the course's queue refused a request; the message is its own. */
  MANAGER_REFUSED: { status: 400, retry: 'never' },
  /** A producer's log file whose lines are not what they must be, or a log file that cannot be used. */
  LOG_FILE_INVALID: { status: 400, retry: 'never' },
  /** An address to listen on is taken by another program, or may not be used. */
  ADDRESS_TAKEN: { status: 409, retry: 'never' },
  /** The foreign server said no, or is away; the cause tells. */
  ENGINE_FAILED: { status: 502, retry: 'later' },
} as const satisfies Record<string, FaultRow>

export const fault = faults(queueFaults)
