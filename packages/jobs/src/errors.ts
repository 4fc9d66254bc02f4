import { type FaultRow, faults } from '@drover/kernel'

/** What fetch jobs may refuse or fail at; docs/errors.md is held to this table by a test. */
export const jobsFaults = {
  /** An address that is no http or https URL of a sensible length, or carries a password. */
  URL_INVALID: { status: 422, retry: 'never' },
  /** The name leads to an address that must not be reached from here: private, loopback, metadata. */
  ADDRESS_REFUSED: { status: 403, retry: 'never' },
  /** The host has no address, or the look-up failed. */
  HOST_UNKNOWN: { status: 502, retry: 'later' },
  /** The other server refused the connection, broke it, or broke the rules of HTTP. */
  HOST_FAILED: { status: 502, retry: 'later' },
  /** A phase of the fetch (look-up, connection, headers, body, all of it) took too long. */
  FETCH_TIMEOUT: { status: 504, retry: 'later' },
  /** More redirects than are followed. */
  REDIRECTS_TOO_MANY: { status: 502, retry: 'never' },
  /** A redirect without a place to go, or to one that is no page. */
  REDIRECT_INVALID: { status: 502, retry: 'never' },
  /** The page is larger than the limit, packed or unpacked. */
  PAGE_TOO_LARGE: { status: 413, retry: 'never' },
  /** The body is not packed as its headers say, or in a way that is not known. */
  ENCODING_BROKEN: { status: 502, retry: 'never' },
  /** The server answered with a status that will not change by asking again. */
  PAGE_REFUSED: { status: 502, retry: 'never' },
  /** The server answered with a status that may change: 408, 425, 429 or 5xx. */
  PAGE_UNAVAILABLE: { status: 502, retry: 'later' },
  /** The site's robots.txt asks not to fetch this page. */
  ROBOTS_DISALLOW: { status: 403, retry: 'never' },
  /** The site's robots.txt could not be read; until it can be, nothing is fetched there. */
  ROBOTS_UNREACHABLE: { status: 502, retry: 'later' },
  /** Too many fetches wait for their turn at one host. */
  HOST_BUSY: { status: 503, retry: 'later' },
  /** The page could not be read within its time or memory. */
  READING_FAILED: { status: 500, retry: 'later' },
  /** So many workers died over the job that it is not tried again. */
  WORKERS_DIED: { status: 500, retry: 'never' },
  /** Somebody has registered with that email. */
  EMAIL_TAKEN: { status: 409, retry: 'never' },
  /** An email, password or role that cannot be used; the message says why. */
  ACCOUNT_INVALID: { status: 422, retry: 'never' },
  /** The email or the password is wrong. */
  LOGIN_FAILED: { status: 401, retry: 'never' },
  /** Too many wrong passwords; the answer says how long to wait. */
  LOGIN_THROTTLED: { status: 429, retry: 'later' },
  /** So many passwords are to be hashed at this moment that this one is not queued. */
  LOGINS_TOO_MANY: { status: 503, retry: 'later' },
  /** No token, or one that is expired, forged or revoked. */
  TOKEN_REFUSED: { status: 401, retry: 'never' },
  /** This account may not do that. */
  NOT_ALLOWED: { status: 403, retry: 'never' },
  /** The path is there, but does not take that method; `allow` says which it takes. */
  METHOD_REFUSED: { status: 405, retry: 'never' },
  /** No such job, or it belongs to somebody else. */
  JOB_UNKNOWN: { status: 404, retry: 'never' },
  /** The job's state does not allow that; the message names the state. */
  JOB_STATE: { status: 409, retry: 'never' },
  /** The idempotency key was used before, for another request. */
  KEY_REUSED: { status: 409, retry: 'never' },
  /** A batch of more jobs than one request may bring. */
  BATCH_TOO_LARGE: { status: 413, retry: 'never' },
  /** A schedule whose cron fields or time zone cannot be read, or that never comes. */
  SCHEDULE_INVALID: { status: 422, retry: 'never' },
  /** No such schedule, or it belongs to somebody else. */
  SCHEDULE_UNKNOWN: { status: 404, retry: 'never' },
  /** No such account. */
  ACCOUNT_UNKNOWN: { status: 404, retry: 'never' },
  /** The job has no result, or not yet. */
  RESULT_MISSING: { status: 404, retry: 'never' },
  /** No such callback, or it belongs to somebody else. */
  DELIVERY_UNKNOWN: { status: 404, retry: 'never' },
  /** The account has as many unfinished jobs or schedules, or submits as fast, as it may. */
  QUOTA_REACHED: { status: 429, retry: 'later' },
  /** A one-time token for the first admin that is wrong, or used up. */
  SETUP_REFUSED: { status: 403, retry: 'never' },
  /** The replica has as many watchers as it takes. */
  WATCHERS_TOO_MANY: { status: 503, retry: 'later' },
  /** The store cannot be reached or does not answer. */
  STORE_UNAVAILABLE: { status: 503, retry: 'later' },
  /** The store was written by a newer version. */
  STORE_TOO_NEW: { status: 500, retry: 'never' },
  /** The store is no database, or one that may not be opened or written. */
  STORE_INVALID: { status: 500, retry: 'never' },
  /** An address of a queue that is none of ours, of RabbitMQ or of NATS. */
  QUEUE_INVALID: { status: 422, retry: 'never' },
  /** The receiver of a callback answered with a status outside 200 to 299. */
  CALLBACK_REFUSED: { status: 502, retry: 'later' },
  /** The receiver answered 410: it wants no more callbacks. */
  CALLBACK_GONE: { status: 410, retry: 'never' },
} as const satisfies Record<string, FaultRow>

export const fault = faults(jobsFaults)
