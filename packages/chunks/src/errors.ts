import { type FaultRow, faults } from '@drover/kernel'

/** What chunking may refuse; docs/errors.md is held to this table by a test. */
export const chunksFaults = {
  /** A way to chunk, output or option that does not exist; the message names the nearest. */
  WAY_UNKNOWN: { status: 400, retry: 'never' },
  /** A size, count or overlap that cannot be used: zero, negative, or least above most. */
  SIZE_INVALID: { status: 400, retry: 'never' },
  /** Letters that are no range, single letter or set; the message says what is allowed. */
  LETTERS_INVALID: { status: 400, retry: 'never' },
  /** A pattern or delimiter that does not compile or is empty. */
  PATTERN_INVALID: { status: 400, retry: 'never' },
  /** A pattern that runs away: it took longer than it may. */
  PATTERN_TOO_SLOW: { status: 422, retry: 'never' },
  /** A file that is not text where text is needed. */
  NOT_TEXT: { status: 422, retry: 'never' },
  /** Records that are not CSV, NDJSON or a JSON array as they should be. */
  RECORDS_INVALID: { status: 422, retry: 'never' },
  /** A single record, line, word or match that is larger than what is kept in memory. */
  PIECE_TOO_LARGE: { status: 413, retry: 'never' },
  /** More chunks than the limit. */
  CHUNKS_TOO_MANY: { status: 413, retry: 'never' },
  /** A name for a file that is empty, too long, or holds slashes or control characters. */
  NAME_INVALID: { status: 400, retry: 'never' },
  /** Compressed input that is damaged or cut short. */
  INPUT_DAMAGED: { status: 400, retry: 'never' },
  /** A file that cannot be read or written. */
  FILE_UNUSABLE: { status: 500, retry: 'never' },
  /** Chunks whose sums do not fit, or a manifest that is damaged. */
  CHUNKS_DAMAGED: { status: 422, retry: 'never' },
  /** Chunks from which the file cannot be restored: some are missing or bytes were dropped. */
  CHUNKS_INCOMPLETE: { status: 422, retry: 'never' },
  /** The quota or the high-water mark of the disk is reached, or a full disk is simulated. */
  DISK_FULL: { status: 507, retry: 'later' },
  /** An upload larger than the service takes. */
  UPLOAD_TOO_LARGE: { status: 413, retry: 'never' },
  /** An upload without a file, with several, or cut short. */
  UPLOAD_INVALID: { status: 400, retry: 'never' },
  /** A resumable upload that is unknown. */
  UPLOAD_UNKNOWN: { status: 404, retry: 'never' },
  /** A resumable upload that has expired or was ended. */
  UPLOAD_GONE: { status: 410, retry: 'never' },
  /** A part of a resumable upload at another offset than the upload's. */
  UPLOAD_OFFSET: { status: 409, retry: 'never' },
  /** A part of a resumable upload whose checksum does not fit. */
  UPLOAD_CHECKSUM: { status: 460, retry: 'now' },
  /** A part of a resumable upload while another part of it is being received. */
  UPLOAD_LOCKED: { status: 423, retry: 'later' },
  /** A version of the tus protocol that is not spoken here. */
  TUS_VERSION: { status: 412, retry: 'never' },
  /** As many requests wait as may. */
  REQUESTS_TOO_MANY: { status: 503, retry: 'later' },
  /** A request for chunks that is unknown. */
  REQUEST_UNKNOWN: { status: 404, retry: 'never' },
  /** A result that is not there yet. */
  REQUEST_UNFINISHED: { status: 409, retry: 'later' },
  /** A request that was cancelled, or whose work failed. */
  REQUEST_ENDED: { status: 410, retry: 'never' },
  /** No backend did a task before its deadline. */
  TASK_FAILED: { status: 502, retry: 'later' },
} as const satisfies Record<string, FaultRow>

export const fault = faults(chunksFaults)
